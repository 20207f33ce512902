import type { PlaceKind } from '../contract.ts'
import { explainBuild } from '../explain.ts'
import { openSharedServer, withSession } from '../../postgres/shared-server.ts'
import { createServerKeys } from '../../template/keys.ts'
import { findServerTemplate } from '../../template/server-store.ts'
import { openServerCatalog } from './catalog.ts'
import { ensureOnServer } from './ensure.ts'

/** Branches that are databases on the server of `url`. */
export function createServerPlace(url: string): PlaceKind {
  return {
    id: url,
    ensure: (context) => ensureOnServer(context, url),
    async explain(context) {
      const server = await openSharedServer(url)
      try {
        const keys = createServerKeys(context.plan, server)
        return await withSession(server, (client) =>
          explainBuild(context, keys, (key) => findServerTemplate(client, key)),
        )
      } finally {
        await server.sessions.end()
      }
    },
    openCatalog: (context) => openServerCatalog(context, url),
  }
}
