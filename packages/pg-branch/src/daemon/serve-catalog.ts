import { findStoreName, storeNames } from '../artefact/registry.ts'
import { PgBranchError } from '../lib/errors.ts'
import type { StatePaths } from '../lib/paths.ts'
import type { OpenCatalog, TemplateFiles } from '../place/contract.ts'
import type { CatalogFunctions, Garbage } from '../protocol/catalog-protocol.ts'
import type { ProjectRequest } from '../protocol/protocol.ts'
import { findFileGarbage, removeFileGarbage } from '../reaper/find-garbage.ts'
import { matchTemplate } from '../template/catalog.ts'
import { findEvictable } from '../template/eviction.ts'
import type { Plan } from '../template/plan.ts'
import type { Leases } from './leases.ts'
import type { Project, ProjectListeners } from './project.ts'

/** What people do with the cache: these need a project's plan, and build nothing. */
export function serveCatalog({
  host,
  withProject,
}: {
  host: { leases: Leases; paths: StatePaths }
  withProject<T, Request extends ProjectRequest>(
    asked: Request,
    action: (project: Project, listeners: ProjectListeners, request: Request) => Promise<T>,
  ): Promise<T>
}): CatalogFunctions {
  const { leases, paths } = host
  return {
    listTemplates: (asked) =>
      withProject(asked, (project, _, request) =>
        project.withCatalog(request, async (catalog) => {
          const [current] = await catalog.listCurrentKeys()
          const templates = await catalog.list()
          return templates.map((template) => {
            const { key } = template
            return Object.assign(template, { usedBy: leases.listUsers(key), isCurrent: key === current })
          })
        }),
      ),
    removeTemplate: ({ key: prefix, ...asked }) =>
      withProject(asked, (project, _, request) =>
        project.withCatalog(request, async (catalog) => {
          const { key } = matchTemplate(await catalog.list(), prefix)
          const users = leases.listUsers(key)
          if (users.length === 0) {
            await catalog.remove(key)
            return key
          }
          throw new PgBranchError(`the template ${key.slice(0, 8)} is in use by ${users.slice(0, 5).join(', ')}`, {
            code: 'PGB_TEMPLATE_IN_USE',
            hint: 'End these first; a named branch with: pg-branch branch rm NAME',
          })
        }),
      ),
    pushTemplate: ({ store, force, ...asked }) =>
      withProject(asked, async (project, listeners, request) => {
        await project.prepare(request, listeners)
        return project.withCatalog(request, async (catalog, plan) => {
          const { files, name } = await requireFiles(catalog, { plan, store, env: request.env })
          const template = await files.find(files.key)
          if (template === undefined) throw new Error('the template vanished')
          const exchange = files.openExchange(name, listeners)
          const moved = await exchange.push(template, { force })
          return {
            key: files.key,
            store: exchange.label,
            bytes: moved.bytes,
            bytesMoved: moved.bytesMoved,
            wasThere: false,
          }
        })
      }),
    pullTemplate: ({ store, ...asked }) =>
      withProject(asked, (project, listeners, request) =>
        project.withCatalog(request, async (catalog, plan) => {
          const { files, name } = await requireFiles(catalog, { plan, store, env: request.env })
          const { key } = files
          const exchange = files.openExchange(name, listeners)
          const { label } = exchange
          if ((await files.find(key)) !== undefined)
            return { key, store: label, bytes: 0, bytesMoved: 0, wasThere: true }
          const pulled = await exchange.pull(key)
          if (pulled !== undefined) {
            return { key, store: label, bytes: pulled.bytes, bytesMoved: pulled.bytes, wasThere: false }
          }
          throw new PgBranchError(`the template ${key.slice(0, 8)} is not in ${label}`, {
            code: 'PGB_TEMPLATE_UNKNOWN',
            hint: 'Put it there from a machine that has it (pg-branch template push), or build it here (pg-branch template build).',
          })
        }),
      ),
    collectGarbage: ({ dryRun, ...asked }) =>
      withProject(asked, (project, _, request) =>
        project.withCatalog(request, async (catalog, { config }) => {
          const templates = await catalog.list()
          const used = templates.map(({ key }) => key).filter((key) => leases.listUsers(key).length > 0)
          const inUse = new Set([...used, ...(await catalog.listCurrentKeys())])
          const evictable = findEvictable(templates, { ...config.cache, inUse })
          const garbage = evictable.map(({ key, ...rest }): Garbage => ({ kind: 'template', what: key, ...rest }))
          const files = await findFileGarbage(paths, config.cache)
          if (!dryRun) {
            for (const { key } of evictable) await catalog.remove(key)
            await removeFileGarbage(files, paths)
          }
          return [...garbage, ...files]
        }),
      ),
  }
}

interface FilesRequest {
  plan: Plan
  env: ProjectRequest['env']
  /** As it was typed. */
  store: string | undefined
}

/** @throws PgBranchError `PGB_ARGUMENT` where there is nothing to copy, or nowhere to copy it to. */
async function requireFiles(
  { openFiles }: OpenCatalog,
  { plan, env, store = findStoreName(plan.config.cache.store, env) }: FilesRequest,
): Promise<{ files: TemplateFiles; name: string }> {
  if (openFiles === undefined) {
    throw new PgBranchError('the templates of this project are databases on a server', {
      code: 'PGB_ARGUMENT',
      hint: 'All who use that server have them already.',
    })
  }
  if (store !== undefined) return { files: await openFiles(), name: store }
  throw new PgBranchError('no template store is named', {
    code: 'PGB_ARGUMENT',
    hint: `${storeNames} Or set \`cache: { store }\` in the configuration, or PG_BRANCH_STORE.`,
  })
}
