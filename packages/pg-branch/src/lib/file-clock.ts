import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * How long ago something was made or written, by the clock of the file system that it lies on: that of a
 * network's may be another than this machine's.
 *
 * @param dir a directory on the same file system, in which a file is made for a moment. Where none can be, this
 *   machine's clock must do.
 * @returns milliseconds, less than 0 if the clock was put back since; undefined if it is not there.
 */
export function measureAgeMs(path: string, { dir }: { dir: string }): number | undefined {
  const madeAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs
  return madeAt === undefined ? undefined : readFileClock(dir) - madeAt
}

function readFileClock(dir: string): number {
  const probe = join(dir, `.now-${randomBytes(6).toString('hex')}`)
  try {
    const fd = openSync(probe, 'wx', 0o600)
    try {
      return fstatSync(fd).mtimeMs
    } finally {
      closeSync(fd)
    }
  } catch {
    return Date.now()
  } finally {
    rmSync(probe, { force: true })
  }
}
