import { link, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PgBranchError, describeError, getErrorCode } from '../../lib/errors.ts'
import { makeDirs } from '../../lib/make-dirs.ts'
import { createDiskFullError } from '../../lib/system-errors.ts'
import { writeDraft, writeWhole } from '../../lib/write-whole.ts'
import type { ArtefactStore, Blob, StoreModule } from '../contract.ts'
import { formatRef, parseRef } from '../ref.ts'

/** A directory: of a CI cache, or shared by machines. Below it are `blobs/sha256/…` and `refs/…`. */
export const openStore: StoreModule['openStore'] = (dir): ArtefactStore => {
  const getBlobPath = ({ digest }: Blob) => {
    const hex = digest.slice('sha256:'.length)
    return join(dir, 'blobs', 'sha256', hex.slice(0, 2), hex)
  }
  const getRefPath = (name: string) => join(dir, 'refs', `${name}.json`)
  const label = dir
  const isExclusive = true
  return {
    label,
    hasBlob: (blob) =>
      explain(label, async () => (await stat(getBlobPath(blob)).catch(ignoreMissing))?.size === blob.bytes),
    readBlob: (blob) =>
      explain(label, async () => (await readFile(getBlobPath(blob)).catch(ignoreMissing)) ?? undefined),
    writeBlob: (blob, content) =>
      explain(label, async () => writeWhole(await makeParent(dir, getBlobPath(blob)), content)),
    readRef: (name) =>
      explain(label, async () => {
        const text = await readFile(getRefPath(name), 'utf8').catch(ignoreMissing)
        return text === undefined ? undefined : parseRef(text, getRefPath(name))
      }),
    writeRef: (name, ref, { ifAbsent } = { ifAbsent: false }) =>
      explain(label, async () => {
        const text = formatRef(ref)
        const path = await makeParent(dir, getRefPath(name))
        if (!ifAbsent) {
          await writeWhole(path, text)
          return { isWritten: true, isExclusive }
        }
        const draft = await writeDraft(path, text)
        try {
          // Unlike a rename, it fails where something is.
          await link(draft, path)
          return { isWritten: true, isExclusive }
        } catch (error) {
          if (getErrorCode(error) === 'EEXIST') return { isWritten: false, isExclusive }
          throw error
        } finally {
          await rm(draft, { force: true })
        }
      }),
  }
}

/** @returns the path, whose directory is there. */
async function makeParent(root: string, path: string): Promise<string> {
  makeDirs(root)
  // Whoever else may write to the store writes there too: as it is, so are the directories in it.
  makeDirsOfMode(dirname(path), (await stat(root)).mode & 0o7777)
  return path
}

/** What is made has its mode from the start: one set later, by path, could be that of what somebody put there since. */
function makeDirsOfMode(path: string, mode: number): void {
  const umask = process.umask(0)
  try {
    makeDirs(path, mode)
  } finally {
    process.umask(umask)
  }
}

function ignoreMissing(error: unknown): undefined {
  const code = getErrorCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
  throw error
}

async function explain<T>(label: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof PgBranchError) throw error
    const code = getErrorCode(error)
    if (code === 'ENOSPC' || code === 'EDQUOT') throw createDiskFullError(` for the template store ${label}`)
    throw new PgBranchError(`the template store ${label} cannot be used: ${describeError(error)}`, {
      code: 'PGB_STORE',
      hint: 'It must be a directory that this user can read and, to push, write.',
      cause: error,
    })
  }
}
