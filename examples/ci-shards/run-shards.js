// Four shards on four "machines" that have nothing cached: each has a state directory of its own, and they
// share a directory of templates. One builds, the others wait for it and fetch.
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const dir = mkdtempSync(join(tmpdir(), 'ci-shards-'))
// As root, servers run as another user, who must get to their data.
chmodSync(dir, 0o711)
const bin = (name) => join(import.meta.dirname, 'node_modules/.bin', name)

function run(command, args, env) {
  return new Promise((resolve, reject) => {
    let output = ''
    const child = spawn(command, args, { cwd: import.meta.dirname, env: { ...process.env, ...env, CI: 'true' } })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
    child.once('error', reject)
    child.once('exit', (code) => resolve({ code, output }))
  })
}

const machines = [1, 2, 3, 4].map((shard) => ({
  shard,
  env: { PG_BRANCH_HOME: join(dir, `machine-${shard}`), PG_BRANCH_STORE: join(dir, 'templates') },
}))
const results = await Promise.all(
  machines.map(({ shard, env }) => run(bin('vitest'), ['run', '--shard', `${shard}/4`], env)),
)
let built = 0
for (const [index, { code, output }] of results.entries()) {
  if (/template built in/.test(output)) built += 1
  console.log(`── shard ${index + 1} of 4${code === 0 ? '' : ', FAILED'}\n${output.trim()}\n`)
}
await Promise.all(machines.map(({ env }) => run(bin('pg-branch'), ['down'], env)))
rmSync(dir, { recursive: true, force: true })
console.log(`${machines.length} shards, ${built} of them built the template.`)
if (built !== 1 || results.some(({ code }) => code !== 0)) process.exitCode = 1
