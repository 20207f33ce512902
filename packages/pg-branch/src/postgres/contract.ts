import type { ProviderName } from './registry.ts'

/** Major versions that pg-branch knows. */
export const postgresVersions = [15, 16, 17, 18] as const
export type PostgresVersion = (typeof postgresVersions)[number]

/** A set of server programs that runs here. */
export interface PostgresBinaries {
  provider: ProviderName
  /** Major version. */
  version: PostgresVersion
  /** What `postgres --version` prints. */
  fullVersion: string
  /** Directory that holds `postgres` and `initdb`. */
  binDir: string
  /** Equal for binaries whose data directories are interchangeable; part of the template key. */
  buildId: string
}

export interface ProviderRequest {
  version?: PostgresVersion | undefined
  bin?: string | undefined
  /** The project's directory: packages are looked up from here first. */
  baseDir: string
  /** Where binaries may be copied to. */
  binariesDir: string
}

export interface RejectedCandidate {
  candidate: string
  reason: string
}

/** Obtains Postgres binaries. A new one is one file in `providers/` and one line in `registry.ts`. */
export interface PostgresProvider {
  readonly name: ProviderName
  /** @returns the best usable binaries, and why each other candidate was not taken. Never throws for a candidate. */
  locate(request: ProviderRequest): Promise<{ found: PostgresBinaries | undefined; rejected: RejectedCandidate[] }>
}
