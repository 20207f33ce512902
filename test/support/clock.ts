import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureDebianPackages } from '@pg-branch/bench/debian'

export interface TestClock {
  /** Processes that are started with it go by this clock. */
  env: NodeJS.ProcessEnv
  /** Puts the clock forwards (`+2h`) or backwards (`-1d`) against the real one, in all of them at once. */
  set(offset: string): void
  [Symbol.dispose](): void
}

/**
 * A clock that tests can put: libfaketime's, which stands before the C library's. It changes the time of
 * day only; timers run on, and files keep the time that the kernel gives them, as when somebody sets the clock.
 */
export async function makeClock(): Promise<TestClock> {
  await ensureDebianPackages(findLibraries(), ['libfaketime'])
  const [library = ''] = findLibraries()
  const dir = mkdtempSync(join(tmpdir(), 'pgb-clock-'))
  const file = join(dir, 'offset')
  const set = (offset: string) => writeFileSync(file, `${offset}\n`)
  set('+0')
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
    set,
    [Symbol.dispose]: () => rmSync(dir, { recursive: true }),
  }
}

function findLibraries(): string[] {
  return readdirSync('/usr/lib')
    .map((name) => join('/usr/lib', name, 'faketime/libfaketimeMT.so.1'))
    .filter((path) => existsSync(path))
}
