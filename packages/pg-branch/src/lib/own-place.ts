import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { PgBranchError } from './errors.ts'

/**
 * What a path is to this user. `own`: a directory that nobody else can change, move or replace. `foreign`:
 * there is something that others have in their hands, and nothing below may be read, made or removed.
 */
export type PlaceState = { kind: 'own' } | { kind: 'absent' } | { kind: 'foreign'; problem: string }

/** A chain of links longer than this is a circle. */
const maxLinks = 20

/**
 * Looks at a directory, and at every directory above it: each must belong to this user or to root and be
 * writable by nobody else. Above it, sticky ones such as /tmp will do, and links of this user's or root's; the
 * directory itself must be no link. Of a path that is not there, what is there of it counts.
 *
 * @param options.uid whose place it should be. Default: the user with whose rights this process acts.
 */
export function inspectPlace(
  path: string,
  { uid = process.geteuid?.() }: { uid?: number | undefined } = {},
): PlaceState {
  // Without users (Windows) there are no others to tell apart.
  if (uid === undefined) return { kind: 'own' }
  return inspect(resolve(path), { uid, links: 0 })
}

/** @throws PgBranchError `PGB_HOME_UNUSABLE` if something is there that others have in their hands. */
export function requireOwnPlace(path: string): void {
  const state = inspectPlace(path)
  if (state.kind === 'foreign') throw createForeignError(path, state.problem)
}

export function createForeignError(path: string, problem: string): PgBranchError {
  return new PgBranchError(`${path} cannot be used safely: ${problem}`, {
    code: 'PGB_HOME_UNUSABLE',
    hint: 'pg-branch keeps data and sockets only where no other user can change them: correct that, or set PG_BRANCH_HOME (or `volume.path`) to another directory.',
  })
}

function inspect(path: string, { uid, links }: { uid: number; links: number }): PlaceState {
  const names = path.split('/').filter((name) => name !== '')
  let at = '/'
  for (const [index, name] of [undefined, ...names].entries()) {
    if (name !== undefined) at = join(at, name)
    const stat = lstatSync(at, { throwIfNoEntry: false })
    if (stat === undefined) return { kind: 'absent' }
    const isLast = index === names.length
    if (stat.uid !== uid && stat.uid !== 0) return foreign(at, `belongs to ${describeUser(stat.uid)}`)
    if (stat.isSymbolicLink()) {
      if (isLast) return foreign(at, 'is a link')
      if (links >= maxLinks) return foreign(at, 'is a link to itself')
      return inspect(follow(at, names.slice(index)), { uid, links: links + 1 })
    }
    if (!stat.isDirectory()) return foreign(at, 'is not a directory')
    const isSticky = (stat.mode & 0o1000) !== 0
    if (isWritableByOthers(stat) && (isLast || !isSticky)) return foreign(at, 'can be written to by other users')
  }
  return { kind: 'own' }
}

/** @returns where a link and what follows it lead, without following any other link. */
function follow(link: string, rest: string[]): string {
  const target = readlinkSync(link)
  return join(isAbsolute(target) ? target : join(dirname(link), target), ...rest)
}

function foreign(path: string, what: string): PlaceState {
  return { kind: 'foreign', problem: `${path} ${what}` }
}

function isWritableByOthers({ mode, uid, gid }: Stats): boolean {
  if ((mode & 0o002) !== 0) return true
  return (mode & 0o020) !== 0 && !isPrivateGroup(uid, gid)
}

/** Many systems give each user a group of the same name with nobody else in it, and new directories to that group. */
function isPrivateGroup(uid: number, gid: number): boolean {
  try {
    const users = readTable('/etc/passwd')
    const name = users.find((fields) => Number(fields[2]) === uid)?.[0]
    const group = readTable('/etc/group').find((fields) => Number(fields[2]) === gid)
    if (name === undefined || group === undefined || group[0] !== name) return false
    const members = (group[3] ?? '').split(',').filter((member) => member !== '' && member !== name)
    return members.length === 0 && users.every((fields) => Number(fields[3]) !== gid || fields[0] === name)
  } catch {
    return false
  }
}

/** @returns the user's name and number, as far as this machine knows it. */
export function describeUser(uid: number): string {
  try {
    const name = readTable('/etc/passwd').find((fields) => Number(fields[2]) === uid)?.[0]
    return name === undefined ? `the user ${uid}` : `the user ${name} (${uid})`
  } catch {
    return `the user ${uid}`
  }
}

function readTable(file: string): string[][] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
}
