// The long form of the faults suite: `npm run faults -- --rounds 1000`, and whatever Vitest takes after it.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '100' } },
  allowPositionals: true,
})
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds takes a whole number of 1 or more, not ${values.rounds}`)
  process.exit(1)
}
const dir = fileURLToPath(new URL('..', import.meta.url))
// A round takes up to ten seconds, and longer beside other work.
const timeoutMs = 180_000 + rounds * 30_000
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--project', 'faults', `--testTimeout=${timeoutMs}`, ...positionals],
  { cwd: dir, stdio: 'inherit', env: { ...process.env, PGB_FAULT_ROUNDS: String(rounds) } },
)
process.exit(status ?? 1)
