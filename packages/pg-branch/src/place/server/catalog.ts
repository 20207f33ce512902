import type { CatalogContext, OpenCatalog } from '../contract.ts'
import { openSharedServer, withSession } from '../../postgres/shared-server.ts'
import { createServerKeys } from '../../template/keys.ts'
import { listServerTemplates, removeServerTemplate } from '../../template/server-store.ts'

/** The templates on the server of `url`. */
export async function openServerCatalog({ plan }: CatalogContext, url: string): Promise<OpenCatalog> {
  const server = await openSharedServer(url)
  return {
    list: () => withSession(server, (client) => listServerTemplates(client)),
    remove: (key) => withSession(server, (client) => removeServerTemplate(client, key)),
    openFiles: undefined,
    listCurrentKeys: async () => createServerKeys(plan, server).sealed.toReversed(),
    [Symbol.asyncDispose]: () => server.sessions.end(),
  }
}
