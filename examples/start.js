// `npm start`: runs one example as a user would; its reporter says what happened.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const exampleDir = join(dirname(fileURLToPath(import.meta.url)), 'vitest-http')
const require = createRequire(join(exampleDir, 'package.json'))
const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs')

console.log('\nRunning examples/vitest-http: an HTTP service, 20 test files in parallel, a branch for each.')
const run = spawnSync(process.execPath, [vitest, 'run'], { cwd: exampleDir, stdio: 'inherit' })
if (run.status !== 0) process.exit(run.status ?? 1)

console.log(
  'The servers end by themselves when idle; `npx pg-branch down` (here: node packages/pg-branch/dist/cli/main.js down) does it now.',
)
