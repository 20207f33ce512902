import { chmodSync, lstatSync, mkdirSync, mkdtempSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PgBranchError, describeError, getErrorCode } from './errors.ts'
import { requireOwnPlace } from './own-place.ts'

/**
 * Makes a directory that no other user can list, whatever the umask is. Root's are also enterable (0711),
 * since the server runs as another user below them; what is secret below is 0700 itself.
 *
 * @throws PgBranchError `PGB_HOME_UNUSABLE` if it cannot be made, or others have it in their hands.
 */
export function makePrivateDir(path: string, { enterable = false }: { enterable?: boolean } = {}): void {
  const isRoots = enterable && process.getuid?.() === 0
  const mode = isRoots ? 0o711 : 0o700
  requireOwnPlace(path)
  try {
    makeDirs(path, mode)
  } catch (error) {
    throw new PgBranchError(`cannot make the directory ${path}: ${describeError(error)}`, {
      code: 'PGB_HOME_UNUSABLE',
      hint: 'Set PG_BRANCH_HOME to a directory that you can write to.',
      cause: error,
    })
  }
  requireOwnPlace(path)
  if (!isRoots) return
  open(path)
  const closed = findClosedDir(path)
  if (closed === undefined) return
  throw new PgBranchError(`${closed}, above ${path}, can be entered by root alone, and servers run as another user`, {
    code: 'PGB_HOME_UNUSABLE',
    hint: `Let others pass through it (chmod o+x ${closed}), or set PG_BRANCH_HOME elsewhere.`,
  })
}

/** Makes an enterable directory of a random name in one that everybody may write to. @returns its path. */
export function makeRandomDir(parent: string): string {
  requireOwnParent(parent)
  const path = mkdtempSync(join(parent, 'pg-branch-'))
  if (process.getuid?.() === 0) chmodSync(path, 0o711)
  return path
}

/** Makes a directory of our own server's, which that must enter where it runs as another user; nobody can list it. */
export function makeServerDir(path: string): void {
  mkdirSync(path, { mode: 0o711 })
  chmodSync(path, 0o711)
}

/** That a directory is sticky is enough for what is made in it. */
function requireOwnParent(parent: string): void {
  requireOwnPlace(join(parent, 'pg-branch-absent'))
}

/** Every directory that is missing gets the mode, which the umask would narrow. */
function makeDirs(path: string, mode: number): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return
  if (dirname(path) !== path) makeDirs(dirname(path), mode)
  try {
    mkdirSync(path, { mode })
    chmodSync(path, mode)
  } catch (error) {
    // Somebody else was faster; who that was is looked at afterwards.
    if (getErrorCode(error) !== 'EEXIST') throw error
  }
}

/** A directory that is ours may have been made by somebody who did not know that servers must pass. */
function open(path: string): void {
  const { uid, mode } = statSync(path)
  if (uid === 0 && (mode & 0o011) === 0) chmodSync(path, (mode & 0o7777) | 0o011)
}

/** @returns the directory above `path` that only root can pass through. */
function findClosedDir(path: string): string | undefined {
  for (let dir = dirname(path); dir !== dirname(dir); dir = dirname(dir)) {
    const { uid, mode } = statSync(dir)
    if (uid === 0 && (mode & 0o011) === 0) return dir
  }
  return undefined
}
