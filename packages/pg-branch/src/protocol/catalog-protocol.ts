import type { TemplateInfo } from '../template/catalog.ts'
import type { ProjectRequest } from './protocol.ts'

export interface ListedTemplate extends TemplateInfo {
  /** What cannot go on without it, e.g. `branch dev`. */
  usedBy: string[]
  /** Whether it is what the project's next branches are made from. */
  isCurrent: boolean
}

/** Something that nobody needs any more. */
export interface Garbage {
  kind: 'template' | 'leftover' | 'version' | 'download'
  /** Key of a template, else a path. */
  what: string
  bytes: number
  reason: string
}

export interface ExchangeRequest extends ProjectRequest {
  /** Path or URL of the store. Default: `cache.store` of the configuration. */
  store?: string | undefined
}

export interface ExchangeAnswer {
  key: string
  /** For people. */
  store: string
  /** Compressed bytes of the whole template, and what of it was moved. */
  bytes: number
  bytesMoved: number
  /** Whether what was to be pulled was here already. */
  wasThere: boolean
}

/** What people do with the cache. */
export interface CatalogFunctions {
  /** Every template and layer in the place that this project uses, those of other projects too. */
  listTemplates(request: ProjectRequest): Promise<ListedTemplate[]>
  /** @param request.key the beginning of a template's. @returns the whole one of what was removed. */
  removeTemplate(request: ProjectRequest & { key: string }): Promise<string>
  /** Builds the project's template if need be, and puts it into a store. */
  pushTemplate(request: ExchangeRequest & { force: boolean }): Promise<ExchangeAnswer>
  /** Fetches the project's template; nothing is built. */
  pullTemplate(request: ExchangeRequest): Promise<ExchangeAnswer>
  /** Removes what nobody needs any more; with `dryRun` only says what that is. */
  collectGarbage(request: ProjectRequest & { dryRun: boolean }): Promise<Garbage[]>
}
