import { rename, rm, writeFile } from 'node:fs/promises'
import { createRandomHex } from './hash.ts'

/** Writes beside `path`, whose directory exists. @returns the file, whole; after an error there is none. */
export async function writeDraft(
  path: string,
  content: string | Buffer,
  { mode = 0o666 }: { mode?: number } = {},
): Promise<string> {
  const draft = `${path}.${createRandomHex(4)}.draft`
  try {
    await writeFile(draft, content, { mode })
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  return draft
}

/** Writes a file in place of an earlier one: whoever reads it, or kills us, finds one of the two whole. */
export async function writeWhole(path: string, content: string | Buffer, options?: { mode: number }): Promise<void> {
  await rename(await writeDraft(path, content, options), path)
}
