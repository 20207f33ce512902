import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { describeError, getErrorCode } from '../lib/errors.ts'
import { getServerIdentity } from '../lib/server-identity.ts'
import { postgresVersions, type PostgresBinaries, type PostgresVersion } from './contract.ts'
import type { ProviderName } from './registry.ts'

/**
 * Runs `postgres --version` as the user that the server will run as.
 *
 * @returns the binaries, or the reason why they cannot be used.
 */
export async function inspectBinaries(options: {
  provider: ProviderName
  binDir: string
  wanted: PostgresVersion | undefined
}): Promise<PostgresBinaries | { reason: string }> {
  const { provider, binDir, wanted } = options
  for (const program of ['postgres', 'initdb']) {
    if (!existsSync(join(binDir, program))) return { reason: `there is no program ${program}` }
  }
  const fullVersion = await readVersion(join(binDir, 'postgres'))
  if (typeof fullVersion !== 'string') return fullVersion
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(fullVersion)?.[1])
  const version = postgresVersions.find((supported) => supported === major)
  if (version === undefined) return { reason: `"${fullVersion}" is not one of the supported versions (15 to 18)` }
  if (wanted !== undefined && version !== wanted) return { reason: `it is version ${version}, and ${wanted} is wanted` }
  const buildId = createHash('sha256')
    .update([provider, fullVersion, platform(), arch(), getLibcVersion()].join('\0'))
    .digest('hex')
  return { provider, version, fullVersion, binDir, buildId: buildId.slice(0, 16) }
}

let libcVersion: string | undefined

/** Indexes are sorted as the C library's collations say, which differ between its versions. */
function getLibcVersion(): string {
  if (libcVersion !== undefined) return libcVersion
  // It would look up names of all connections.
  const report = Object.assign(process.report, { excludeNetwork: true })
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } }
  libcVersion = header.glibcVersionRuntime ?? 'other'
  return libcVersion
}

async function readVersion(file: string): Promise<string | { reason: string }> {
  try {
    const identity = getServerIdentity()
    const { stdout } = await execa(file, ['--version'], { cwd: '/', extendEnv: false, ...identity })
    return stdout
  } catch (error) {
    if (getErrorCode(error) === 'EACCES') return { reason: `the user that runs the server may not execute ${file}` }
    return { reason: `it does not run here: ${describeError(error).split('\n').at(-1)}` }
  }
}
