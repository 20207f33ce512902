import { openServer, withSession } from '../postgres/server.ts'
import { locatePostgres } from '../postgres/registry.ts'
import type { TemplateCatalog } from '../template/catalog.ts'
import { createKeys } from '../template/keys.ts'
import { listServerTemplates, removeServerTemplate } from '../template/server-store.ts'
import type { Template } from '../template/store.ts'
import { createBuildRecord } from '../template/why.ts'
import { openExchange, type Exchange, type ExchangeContext } from './exchange.ts'
import type { PlaceContext } from './place.ts'

/** The templates where those of a plan are, while somebody looks at them. */
export interface OpenCatalog extends TemplateCatalog, AsyncDisposable {
  /** For what can be copied from here to elsewhere; undefined on a server. */
  files:
    | {
        /** Of the plan's template, whether it is there or not. */
        key: string
        find(key: string): Promise<Template | undefined>
        openExchange(store: string, options: Pick<ExchangeContext, 'onProgress'>): Exchange
      }
    | undefined
}

export async function openCatalog(
  context: Pick<PlaceContext, 'plan' | 'env' | 'paths' | 'volumes'>,
  serverUrl: string | undefined,
): Promise<OpenCatalog> {
  const { plan, paths, volumes } = context
  const { config } = plan
  if (serverUrl === undefined) {
    const { store, volume } = await volumes.open(config.volume)
    const { baseDir } = config
    const { binaries } = await locatePostgres({ ...config.postgres, baseDir, binariesDir: paths.binariesDir })
    return {
      list: () => store.list(),
      remove: (key) => store.remove(key),
      files: {
        key: createBuildRecord(createKeys(plan, binaries), plan).sealedKey,
        find: (key) => store.find(key),
        openExchange: (name, { onProgress }) =>
          openExchange(name, { ...context, local: store, volume, binaries, chunksDir: paths.chunksDir, onProgress }),
      },
      [Symbol.asyncDispose]: async () => {},
    }
  }
  const server = await openServer(serverUrl)
  return {
    list: () => withSession(server, (client) => listServerTemplates(client)),
    remove: (key) => withSession(server, (client) => removeServerTemplate(client, key)),
    files: undefined,
    [Symbol.asyncDispose]: () => server.sessions.end(),
  }
}
