import { readFileSync, rmSync } from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { makePrivateDir, makeRandomDir } from './own-dirs.ts'
import { createForeignError, inspectPlace } from './own-place.ts'
import { writeWholeSync } from './write-whole.ts'

/** Linux allows 107 bytes in a unix socket's path, macOS 103 (sys/un.h). */
const maxSocketPathBytes = 100
const socketName = 'supervisor.sock'

/** Names the directory of the socket of a home whose own path is too long for one. */
const getRecordFile = (stateDir: string) => join(stateDir, 'socket-dir.json')

/** Not by a schema: whatever a test worker loads makes it start later. */
function readRecordedDir(stateDir: string): string | undefined {
  try {
    const record = JSON.parse(readFileSync(getRecordFile(stateDir), 'utf8')) as { dir?: unknown } | null
    return typeof record?.dir === 'string' ? record.dir : undefined
  } catch {
    return undefined
  }
}

function getUsualDir(stateDir: string): string | undefined {
  const dir = join(stateDir, 'run')
  return Buffer.byteLength(join(dir, socketName)) <= maxSocketPathBytes ? dir : undefined
}

/**
 * @returns where the supervisor of a state directory listens, if it is there; undefined if it cannot be.
 * @throws PgBranchError `PGB_HOME_UNUSABLE` if somebody else could be listening in its place.
 */
export function findSocketPath(stateDir: string): string | undefined {
  const around = inspectPlace(stateDir)
  if (around.kind === 'foreign') throw createForeignError(stateDir, around.problem)
  if (around.kind === 'absent') return undefined
  const usual = getUsualDir(stateDir)
  const dir = usual ?? readRecordedDir(stateDir)
  if (dir === undefined) return undefined
  const state = inspectPlace(dir)
  if (state.kind === 'own') return join(dir, socketName)
  // What stands in the temporary folder by that name is another's: the next supervisor takes another place.
  if (state.kind === 'absent' || usual === undefined) return undefined
  throw createForeignError(dir, state.problem)
}

/** Makes the directory of the socket, in the temporary folder if the home's path is too long. @returns the socket's path. */
export function makeSocketPath(stateDir: string): string {
  const usual = getUsualDir(stateDir)
  if (usual !== undefined) {
    makePrivateDir(usual)
    return join(usual, socketName)
  }
  const known = findSocketPath(stateDir)
  if (known !== undefined) return known
  const dir = makeRandomDir(tmpdir())
  writeWholeSync(getRecordFile(stateDir), JSON.stringify({ dir }), { mode: 0o600 })
  return join(dir, socketName)
}

/** Removes the socket, and a directory that was made for it alone. */
export async function removeSocketPath(stateDir: string, socketPath: string): Promise<void> {
  rmSync(socketPath, { force: true })
  const dir = dirname(socketPath)
  if (dir === getUsualDir(stateDir)) return
  await rmdir(dir).catch(() => {})
  rmSync(getRecordFile(stateDir), { force: true })
}
