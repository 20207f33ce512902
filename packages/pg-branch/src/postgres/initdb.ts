import { lchown, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { PgBranchError, describeError } from '../lib/errors.ts'
import { getServerIdentity } from '../lib/server-identity.ts'
import { superuser } from '../lib/superuser.ts'
import { createDiskFullError } from '../lib/system-errors.ts'
import { writeDraft } from '../lib/write-whole.ts'
import type { PostgresBinaries } from './contract.ts'
import { renderSettings } from './settings.ts'

/**
 * WAL segments of 1 MB instead of 16: a branch is then 8 MB smaller. A local socket lets everyone in who
 * reaches it: it is in a directory that nobody else can enter. By TCP nobody is let in, since no role has a
 * password until a branch gets its own.
 */
const commonArguments = ['--no-sync', '--wal-segsize=1', '--auth-host=scram-sha-256', '--auth-local=trust']

export const localeProviders = ['builtin', 'icu', 'libc'] as const
export type LocaleProvider = (typeof localeProviders)[number]

export interface InitdbOptions {
  locale?: string | undefined
  localeProvider?: LocaleProvider | undefined
  encoding: string
}

/**
 * @returns arguments that determine the cluster; part of the template key. Unless the user says
 * otherwise, sorting is by code point everywhere, the same on every machine; upper and lower case know
 * all of Unicode.
 */
export function getInitdbArguments(binaries: PostgresBinaries, options: InitdbOptions): string[] {
  // Checksums are on by default since 18, and cost time on every read.
  const checksums = binaries.version >= 18 ? ['--no-data-checksums'] : []
  return [...commonArguments, `--encoding=${options.encoding}`, ...getLocaleArguments(binaries, options), ...checksums]
}

function getLocaleArguments(
  { version }: PostgresBinaries,
  { locale, localeProvider, encoding }: InitdbOptions,
): string[] {
  if (localeProvider === 'icu') {
    return ['--locale-provider=icu', '--locale=C', ...(locale === undefined ? [] : [`--icu-locale=${locale}`])]
  }
  if (localeProvider === 'builtin') {
    return ['--locale-provider=builtin', `--builtin-locale=${locale ?? 'C.UTF-8'}`, '--locale=C']
  }
  if (locale !== undefined || localeProvider === 'libc') return ['--locale-provider=libc', `--locale=${locale ?? 'C'}`]
  // Every other encoding has only the plainest order in common.
  if (encoding.replace('-', '').toUpperCase() !== 'UTF8') return ['--locale=C']
  if (version >= 17) return ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
  return process.platform === 'linux' ? ['--locale=C.UTF-8'] : ['--locale=C']
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
  initdb: InitdbOptions
}): Promise<void> {
  const { binaries, dataDir, settings, initdb } = options
  const identity = getServerIdentity()
  try {
    await execa(
      join(binaries.binDir, 'initdb'),
      ['-D', dataDir, '-U', superuser, ...getInitdbArguments(binaries, initdb)],
      { cwd: '/', extendEnv: false, env: { PATH: '/usr/bin:/bin', TZ: 'UTC', LC_ALL: 'C' }, ...identity },
    )
    await writeSettings(dataDir, settings)
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    if (/No space left on device|Disk quota exceeded/.test(stderr ?? '')) throw createDiskFullError(` for ${dataDir}`)
    throw new PgBranchError(`initdb failed in ${dataDir}: ${stderr?.trim() || describeError(error)}`, {
      code: 'PGB_INITDB',
      hint: 'The lines above are from initdb itself. Most often a directory cannot be written to or a locale is missing.',
      cause: error,
    })
  }
}

/** Writes postgresql.conf, of a data directory in which no server has been yet, as the server's user's own. */
export async function writeSettings(dataDir: string, settings: Record<string, string>): Promise<void> {
  const path = join(dataDir, 'postgresql.conf')
  const draft = await writeDraft(path, renderSettings(settings), { mode: 0o600 })
  const identity = getServerIdentity()
  if (identity !== undefined) await lchown(draft, identity.uid, identity.gid)
  await rename(draft, path)
}
