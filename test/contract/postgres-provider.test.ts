import { ensureDebianPackages } from '@pg-branch/bench/debian'
import { providerNames, providers, type ProviderName } from '../../packages/pg-branch/dist/postgres/registry.js'
import { describePostgresProvider } from './postgres-provider.ts'

/** Has something of it on this machine. */
const prepare: Record<ProviderName, () => Promise<void>> = {
  // Among the tests' own dependencies.
  embedded: async () => {},
  system: () => ensureDebianPackages(['/usr/lib/postgresql/15/bin/postgres'], ['postgresql-15']),
}

for (const name of providerNames) describePostgresProvider(providers[name](), { prepare: prepare[name] })
