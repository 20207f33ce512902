import { PgBranchError } from './errors.ts'

let known: number | undefined

/** @returns how many files and sockets this process may have open at once; Infinity where that is not known. */
export function getDescriptorLimit(): number {
  known ??= readLimit()
  return known
}

function readLimit(): number {
  const { report } = process
  // It would look up names of all connections.
  Object.assign(report, { excludeNetwork: true })
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } }
  const limit = Number(userLimits?.open_files?.soft)
  return Number.isFinite(limit) ? limit : Number.POSITIVE_INFINITY
}

/** What a supervisor needs for itself, and for a few clients. */
const minDescriptors = 256

/** @throws PgBranchError `PGB_SUPERVISOR_START` where it would fail in the middle of something. */
export function requireDescriptors(): void {
  const limit = getDescriptorLimit()
  if (limit >= minDescriptors) return
  throw new PgBranchError(`the supervisor may open only ${limit} files and sockets at once`, {
    code: 'PGB_SUPERVISOR_START',
    hint: `It needs ${minDescriptors}: raise the limit where tests are started, for example with \`ulimit -n 1024\`.`,
  })
}
