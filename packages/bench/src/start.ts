import { execFileSync } from 'node:child_process'
import { median } from './measure.ts'

const rounds = 15

/** What a worker has loaded anyway when an environment begins. */
const builtins = ['child_process', 'crypto', 'fs', 'net', 'os', 'timers/promises', 'url', 'worker_threads']

/** @returns milliseconds that loading our part adds to a worker's start, the median of fresh processes. */
export function measureRunnerStart(): number {
  const script = `${builtins.map((name) => `import 'node:${name}'`).join('\n')}
const startedAt = performance.now()
await import(${JSON.stringify(import.meta.resolve('pg-branch/runner'))})
process.stdout.write(String(performance.now() - startedAt))`
  const times = Array.from({ length: rounds }, () =>
    Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })),
  )
  return median(times)
}
