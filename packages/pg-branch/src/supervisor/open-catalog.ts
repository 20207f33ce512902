import { openServer, withSession } from '../postgres/server.ts'
import type { TemplateCatalog } from '../template/catalog.ts'
import type { Plan } from '../template/plan.ts'
import { listServerTemplates, removeServerTemplate } from '../template/server-store.ts'
import type { Volumes } from './volumes.ts'

/** The templates where those of a plan are, while somebody looks at them. */
export async function openCatalog(
  { config }: Plan,
  { volumes, serverUrl }: { volumes: Volumes; serverUrl: string | undefined },
): Promise<TemplateCatalog & AsyncDisposable> {
  if (serverUrl === undefined) {
    const { store } = await volumes.open(config.volume)
    return {
      list: () => store.list(),
      remove: (key) => store.remove(key),
      [Symbol.asyncDispose]: async () => {},
    }
  }
  const server = await openServer(serverUrl)
  return {
    list: () => withSession(server, (client) => listServerTemplates(client)),
    remove: (key) => withSession(server, (client) => removeServerTemplate(client, key)),
    [Symbol.asyncDispose]: () => server.sessions.end(),
  }
}
