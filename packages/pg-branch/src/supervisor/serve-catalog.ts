import { PgBranchError } from '../lib/errors.ts'
import { getStatePaths } from '../lib/paths.ts'
import { matchTemplate } from '../template/catalog.ts'
import { findEvictable } from '../template/eviction.ts'
import type { CatalogFunctions, Garbage } from './catalog-protocol.ts'
import { findFileGarbage, removeFileGarbage } from './find-garbage.ts'
import type { Leases } from './leases.ts'
import type { Project } from './project.ts'
import type { ProjectRequest } from './protocol.ts'

/** What people do with the cache: these need a project's plan, and build nothing. */
export function serveCatalog({
  host,
  withProject,
}: {
  host: { leases: Leases }
  withProject<T>(request: ProjectRequest, action: (project: Project) => Promise<T>): Promise<T>
}): CatalogFunctions {
  const { leases } = host
  return {
    listTemplates: (request) =>
      withProject(request, (project) =>
        project.withCatalog(request, async (catalog) => {
          const templates = await catalog.list()
          return templates.map((template) => ({
            ...template,
            usedBy: leases.listUsers(template.key),
            isCurrent: template.key === project.ready?.templateKey,
          }))
        }),
      ),
    removeTemplate: ({ key: prefix, ...request }) =>
      withProject(request, (project) =>
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
    collectGarbage: ({ dryRun, ...request }) =>
      withProject(request, (project) =>
        project.withCatalog(request, async (catalog, { config }) => {
          const templates = await catalog.list()
          const current = project.ready?.templateKey
          const inUse = new Set(templates.map(({ key }) => key).filter((key) => leases.listUsers(key).length > 0))
          if (current !== undefined) inUse.add(current)
          const evictable = findEvictable(templates, { ...config.cache, inUse })
          const garbage = evictable.map(({ key, ...rest }): Garbage => ({ kind: 'template', what: key, ...rest }))
          const paths = getStatePaths()
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
