// `npm start`: runs one example as a user would, then says what happened.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const exampleDir = join(dirname(fileURLToPath(import.meta.url)), 'vitest-http')
const require = createRequire(join(exampleDir, 'package.json'))
const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs')
const cli = join(dirname(require.resolve('pg-branch/package.json')), 'dist/cli/main.js')

console.log('\nRunning examples/vitest-http: an HTTP service, 20 test files in parallel, a branch for each.')
const run = spawnSync(process.execPath, [vitest, 'run'], { cwd: exampleDir, stdio: 'inherit' })
if (run.status !== 0) process.exit(run.status ?? 1)

const status = JSON.parse(spawnSync(process.execPath, [cli, 'status', '--json'], { encoding: 'utf8' }).stdout)
const project = status.projects.find(({ rootDir }) => rootDir === exampleDir)

const percentile = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b)
  return `${sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(1)} ms`
}
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`

console.log(`template   ${project.reused ? `reused (checked in ${seconds(project.buildMs)})` : `built in ${seconds(project.buildMs)}: ${project.why}`}
postgres   ${project.postgres}
branches   ${project.leaseMs.length} leased, one for each test file
lease      p50 ${percentile(project.leaseMs, 0.5)}, p95 ${percentile(project.leaseMs, 0.95)} inside the supervisor
fork       p50 ${percentile(project.forkMs, 0.5)}, p95 ${percentile(project.forkMs, 0.95)} in the background
volume     ${project.volume}
faster     ${project.advice ?? 'nothing would be: this volume clones without copying'}
cleaned up the servers end by themselves when idle; \`npx pg-branch down\` (here: node packages/pg-branch/dist/cli/main.js down) does it now`)
