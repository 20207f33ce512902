import { openServer, withSession } from '../postgres/server.ts'
import type { TemplateCatalog } from '../template/catalog.ts'
import { createServerKeys } from '../template/keys.ts'
import { listServerTemplates, removeServerTemplate } from '../template/server-store.ts'
import type { Template } from '../template/store.ts'
import { openExchange, type Exchange, type ExchangeContext } from './exchange.ts'
import { locateCluster } from './locate-cluster.ts'
import type { PlaceContext } from './place.ts'

/** For what can be copied from here to elsewhere. */
export interface TemplateFiles {
  /** Of the plan's template, whether it is there or not. */
  key: string
  find(key: string): Promise<Template | undefined>
  openExchange(store: string, options: Pick<ExchangeContext, 'onProgress'>): Exchange
}

/** The templates where those of a plan are, while somebody looks at them. */
export interface OpenCatalog extends TemplateCatalog, AsyncDisposable {
  /** Undefined on a server. */
  openFiles: (() => Promise<TemplateFiles>) | undefined
  /** @returns what the project's next branches are made from, and then the layers of it; empty if that cannot be told. */
  listCurrentKeys(): Promise<string[]>
}

export async function openCatalog(
  context: Pick<PlaceContext, 'plan' | 'env' | 'paths' | 'volumes'>,
  serverUrl: string | undefined,
): Promise<OpenCatalog> {
  const { plan, volumes } = context
  if (serverUrl === undefined) {
    const { store } = await volumes.open(plan.config.volume)
    return {
      list: () => store.list(),
      remove: (key) => store.remove(key),
      // Whoever only looks or removes needs no Postgres.
      async openFiles() {
        const cluster = await locateCluster(context)
        return {
          key: cluster.record.sealedKey,
          find: (key) => store.find(key),
          openExchange: (name, { onProgress }) => openExchange(name, { ...context, cluster, onProgress }),
        }
      },
      async listCurrentKeys() {
        try {
          const { keys, record } = await locateCluster(context)
          return [record.sealedKey, keys.base, ...keys.layers, ...keys.sealed]
        } catch {
          return []
        }
      },
      [Symbol.asyncDispose]: async () => {},
    }
  }
  const server = await openServer(serverUrl)
  return {
    list: () => withSession(server, (client) => listServerTemplates(client)),
    remove: (key) => withSession(server, (client) => removeServerTemplate(client, key)),
    openFiles: undefined,
    listCurrentKeys: async () => createServerKeys(plan, server).sealed.toReversed(),
    [Symbol.asyncDispose]: () => server.sessions.end(),
  }
}
