import { PgBranchError } from '../lib/errors.ts'
import { createLog } from '../lib/log.ts'
import type { PostgresBinaries, PostgresProvider, ProviderRequest, RejectedCandidate } from './contract.ts'
import { embeddedProvider } from './providers/embedded.ts'
import { systemProvider } from './providers/system.ts'

const log = createLog('postgres')

/** All providers, in the order in which they are tried. */
export const providers = {
  embedded: (): PostgresProvider => embeddedProvider,
  system: (): PostgresProvider => systemProvider,
}

export type ProviderName = keyof typeof providers

export const providerNames: ProviderName[] = Object.keys(providers) as ProviderName[]

export interface LocatedPostgres {
  binaries: PostgresBinaries
  rejected: RejectedCandidate[]
}

/** @returns what each provider has here, and why each other candidate of it is not taken. */
export async function surveyProviders(
  request: ProviderRequest,
): Promise<Array<{ name: ProviderName; found: PostgresBinaries | undefined; rejected: RejectedCandidate[] }>> {
  const results = []
  for (const name of providerNames) {
    results.push({ name, ...(await providers[name]().locate(request)) })
  }
  return results
}

/** @throws PgBranchError `PGB_NO_PROVIDER` that lists every candidate with its reason. */
export async function locatePostgres(
  request: ProviderRequest & { provider?: ProviderName | undefined },
): Promise<LocatedPostgres> {
  const rejected: RejectedCandidate[] = []
  const names = request.provider === undefined ? providerNames : [request.provider]
  for (const name of names) {
    const result = await providers[name]().locate(request)
    rejected.push(...result.rejected)
    if (result.found !== undefined) {
      log('took %s in %s; rejected: %o', result.found.fullVersion, result.found.binDir, rejected)
      return { binaries: result.found, rejected }
    }
  }
  const wanted = request.version === undefined ? '' : ` ${request.version}`
  throw new PgBranchError(
    `no PostgreSQL${wanted} was found:\n${rejected.map(({ candidate, reason }) => `  - ${candidate}: ${reason}`).join('\n')}`,
    {
      code: 'PGB_NO_PROVIDER',
      hint: 'Install one of these, or set `postgres.bin` in pg-branch.config.ts to a directory that holds `postgres` and `initdb`.',
    },
  )
}
