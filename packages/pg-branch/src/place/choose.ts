import { PgBranchError } from '../lib/errors.ts'
import type { StartedServers } from '../reaper/started-servers.ts'
import type { Plan } from '../template/plan.ts'
import { clusterPlace } from './cluster/cluster-place.ts'
import type { ClientVariables, PlaceKind } from './contract.ts'
import { createServerPlace } from './server/server-place.ts'

interface Chooser {
  client: ClientVariables
  servers: StartedServers
}

/**
 * @returns where the branches of a configuration are made; a server that it starts is running then.
 * @throws PgBranchError `PGB_CONFIG_INVALID` if the variable that should name the server is not set.
 */
export async function choosePlace(plan: Plan, chooser: Chooser): Promise<PlaceKind> {
  const url = await findServerUrl(plan, chooser)
  return url === undefined ? clusterPlace : createServerPlace(url)
}

async function findServerUrl({ config }: Plan, { client, servers }: Chooser): Promise<string | undefined> {
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
