import { rm, writeFile, chown } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { PgBranchError, describeError } from '../lib/errors.ts'
import { getServerIdentity } from '../lib/server-identity.ts'
import { superuser } from '../lib/superuser.ts'
import type { PostgresBinaries } from './contract.ts'
import { renderSettings } from './settings.ts'

/** WAL segments of 1 MB instead of 16: a branch is then 8 MB smaller. */
const commonArguments = [
  '--no-sync',
  '--wal-segsize=1',
  '--encoding=UTF8',
  '--auth-host=scram-sha-256',
  '--auth-local=reject',
]

/**
 * @returns arguments that determine the cluster; part of the template key. Sorting is by code point
 * everywhere, the same on every machine; upper and lower case know all of Unicode.
 */
export function getInitdbArguments(binaries: PostgresBinaries): string[] {
  const locale =
    binaries.version >= 17
      ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
      : process.platform === 'linux'
        ? ['--locale=C.UTF-8']
        : ['--locale=C']
  // Checksums are on by default since 18, and cost time on every read.
  const checksums = binaries.version >= 18 ? ['--no-data-checksums'] : []
  return [...commonArguments, ...locale, ...checksums]
}

/**
 * Makes a new cluster in the empty tree `dataDir`.
 *
 * @throws PgBranchError `PGB_INITDB`, with what initdb said.
 */
export async function initCluster(options: {
  binaries: PostgresBinaries
  dataDir: string
  settings: Record<string, string>
  password: string
}): Promise<void> {
  const { binaries, dataDir, settings, password } = options
  const identity = getServerIdentity()
  // A file beside the data directory, not an argument, which every user could see.
  const passwordFile = `${dataDir}.password`
  try {
    await writeFile(passwordFile, password, { mode: 0o600 })
    if (identity !== undefined) await chown(passwordFile, identity.uid, identity.gid)
    await execa(
      join(binaries.binDir, 'initdb'),
      ['-D', dataDir, '-U', superuser, `--pwfile=${passwordFile}`, ...getInitdbArguments(binaries)],
      { cwd: '/', extendEnv: false, env: { PATH: '/usr/bin:/bin', TZ: 'UTC' }, ...identity },
    )
    await writeFile(join(dataDir, 'postgresql.conf'), renderSettings(settings))
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    throw new PgBranchError(`initdb failed in ${dataDir}: ${stderr?.trim() || describeError(error)}`, {
      code: 'PGB_INITDB',
      hint: 'The lines above are from initdb itself. Most often a directory cannot be written to or a locale is missing.',
      cause: error,
    })
  } finally {
    await rm(passwordFile, { force: true })
  }
}
