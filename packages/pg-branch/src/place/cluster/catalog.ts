import type { CatalogContext, OpenCatalog } from '../contract.ts'
import { openExchange } from './exchange.ts'
import { locateCluster } from './locate.ts'

/** The templates on a plan's volume. */
export async function openClusterCatalog(context: CatalogContext): Promise<OpenCatalog> {
  const { store } = await context.volumes.open(context.plan.config.volume)
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
