import { closeSync, fchmodSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { createRandomHex } from './hash.ts'

/** What others may know is readable by all, the rest (0600) is not; the umask has no say. */
const publicMode = 0o644

interface WriteOptions {
  mode?: number
}

const getDraftPath = (path: string) => `${path}.${createRandomHex(4)}.draft`

/**
 * Writes beside `path`, whose directory exists, into a file that was not there: where others may write too, no link of
 * theirs is followed.
 *
 * @returns the file, whole; after an error there is none.
 */
export async function writeDraft(
  path: string,
  content: string | Buffer,
  { mode = publicMode }: WriteOptions = {},
): Promise<string> {
  const draft = getDraftPath(path)
  try {
    await using file = await open(draft, 'wx', mode)
    await file.chmod(mode)
    await file.writeFile(content)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  return draft
}

/** Writes a file in place of an earlier one: whoever reads it, or kills us, finds one of the two whole. */
export async function writeWhole(path: string, content: string | Buffer, options?: WriteOptions): Promise<void> {
  await rename(await writeDraft(path, content, options), path)
}

/** As `writeWhole`, at once. */
export function writeWholeSync(path: string, content: string, { mode = publicMode }: WriteOptions = {}): void {
  const draft = getDraftPath(path)
  try {
    const fd = openSync(draft, 'wx', mode)
    try {
      fchmodSync(fd, mode)
      writeFileSync(fd, content)
    } finally {
      closeSync(fd)
    }
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
