import fastify, { type FastifyInstance } from 'fastify'
import type { Store } from './store.ts'

/** Postgres's own codes say which answer a violated rule deserves. */
const statusOfError: Record<string, number> = { '23502': 404, '23514': 400, '22003': 400 }

export function createApp(store: Store): FastifyInstance {
  const app = fastify()
  app.setErrorHandler((error: { code?: string; cause?: { code?: string } }, _request, reply) => {
    const code = error.cause?.code ?? error.code ?? ''
    return reply.status(statusOfError[code] ?? 500).send({ error: code })
  })
  app.get<{ Params: { list: string } }>('/lists/:list', ({ params }) => store.list(params.list))
  app.post<{ Params: { list: string }; Body: { title: string } }>('/lists/:list', async ({ params, body }, reply) =>
    reply.status(201).send(await store.add(params.list, body.title)),
  )
  app.post<{ Params: { id: string } }>('/todos/:id/done', async ({ params }, reply) => {
    const todo = await store.complete(Number(params.id))
    return todo ?? reply.status(404).send({ error: 'not found' })
  })
  app.delete<{ Params: { id: string } }>('/todos/:id', async ({ params }, reply) =>
    reply.status((await store.remove(Number(params.id))) ? 204 : 404).send(),
  )
  app.post<{ Params: { list: string }; Body: { to: string } }>('/lists/:list/move', async ({ params, body }) => ({
    moved: await store.move(params.list, body.to),
  }))
  return app
}
