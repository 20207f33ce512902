import { PgBranchError } from '../lib/errors.ts'
import type { Plan } from '../template/plan.ts'
import type { ClientVariables } from './planner.ts'
import type { StartedServers } from './started-servers.ts'

/**
 * @returns where the server of a configuration is; undefined if branches are servers of our own.
 * @throws PgBranchError `PGB_CONFIG_INVALID` if the variable that should name the server is not set.
 */
export async function findServerUrl(
  { config }: Plan,
  { client, servers }: { client: ClientVariables; servers: StartedServers },
): Promise<string | undefined> {
  const { server, baseDir } = config
  if (server === undefined) return undefined
  if ('url' in server) return server.url
  if ('kind' in server) return servers.getUrl(server, baseDir)
  const url = client.withheld[server.variable]
  if (url !== undefined) return url
  throw new PgBranchError(`\`server\` is the variable ${server.variable}, which holds no Postgres URL`, {
    code: 'PGB_CONFIG_INVALID',
    hint: `Set it where the tests are started, for example ${server.variable}=postgresql://admin:secret@127.0.0.1:5432/postgres.`,
  })
}
