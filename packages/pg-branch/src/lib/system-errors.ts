import { PgBranchError, describeError, getErrorCode, type PgBranchErrorCode } from './errors.ts'

interface Explanation {
  code: PgBranchErrorCode
  /** Says it of a path. */
  describe(path: string): string
  hint: string
}

const full: Explanation = {
  code: 'PGB_DISK_FULL',
  describe: (path) => `no space left on the volume while writing ${path}`,
  hint: 'Free space there, lower `cache.maxBytes` or `pool.size`, or choose another place with `volume.path`.',
}
const forbidden: Explanation = {
  code: 'PGB_PERMISSION',
  describe: (path) => `there is no permission for ${path}`,
  hint: `pg-branch runs as the user ${process.getuid?.() ?? 'who started it'}: give it access.`,
}
/** What a file system says of what was there before. */
const gone: Explanation = {
  code: 'PGB_VOLUME',
  describe: (path) => `${path} is not there, or not usable any more`,
  hint: 'Its volume was unmounted, or files were removed while pg-branch used them. End it with `pg-branch down`, mount the volume again, and go on.',
}
const explanations: Record<string, Explanation> = {
  ENOSPC: full,
  EDQUOT: full,
  EACCES: forbidden,
  EPERM: forbidden,
  ENOENT: gone,
  ENOTDIR: gone,
  EIO: gone,
  ENODEV: gone,
  ESTALE: gone,
  EROFS: gone,
}

/** @returns what the operating system's error about a file means to people; undefined for any other. */
export function explainSystemError(error: unknown): PgBranchError | undefined {
  const explanation = explanations[getErrorCode(error) ?? '']
  const { dest, path } = error as { dest?: unknown; path?: unknown }
  const place = [dest, path].find((value): value is string => typeof value === 'string')
  if (explanation === undefined || (place === undefined && explanation !== full)) return undefined
  const { code, describe, hint } = explanation
  return new PgBranchError(place === undefined ? describeError(error) : describe(place), { code, hint, cause: error })
}

/** @returns an error to act on if it is about a full disk. */
export function explainDiskFull(error: unknown): PgBranchError | undefined {
  const explained = error instanceof PgBranchError ? error : explainSystemError(error)
  return explained?.code === 'PGB_DISK_FULL' ? explained : undefined
}

/** @param where continues the sentence, e.g. ` for /path`. */
export function createDiskFullError(where: string): PgBranchError {
  return new PgBranchError(`no space left on the volume${where}`, { code: full.code, hint: full.hint })
}
