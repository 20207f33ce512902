import { PgBranchError } from '../lib/errors.ts'

/** A template, or a layer to continue building from, as people see it. */
export interface TemplateInfo {
  key: string
  /** What was run to make it. */
  description: string
  /** Whether branches can be made from it; else it is a layer. */
  sealed: boolean
  bytes: number
  /** False: what describes it is damaged, and it will be made again. */
  isReadable: boolean
  /** Which Postgres it is for; undefined on a server, where it is that server's. */
  postgres: string | undefined
  createdAt: string | undefined
  usedAt: string
  /** Undefined where it is not recorded. */
  buildMs: number | undefined
  byFastIngest: boolean
}

/** The templates of one place. */
export interface TemplateCatalog {
  /** Newest use first. */
  list(): Promise<TemplateInfo[]>
  remove(key: string): Promise<void>
}

/** @returns the template whose key begins so. @throws PgBranchError `PGB_TEMPLATE_UNKNOWN`. */
export function matchTemplate<T extends TemplateInfo>(templates: T[], key: string): T {
  if (!/^[0-9a-f]{4,}$/.test(key)) {
    throw new PgBranchError(`${JSON.stringify(key)} is not the beginning of a template’s key`, {
      code: 'PGB_ARGUMENT',
      hint: 'Give at least four digits of one that `pg-branch template ls` shows.',
    })
  }
  const matches = templates.filter((template) => template.key.startsWith(key))
  const [match] = matches
  if (match !== undefined && matches.length === 1) return match
  const problem = match === undefined ? 'there is no template' : `there are ${matches.length} templates`
  throw new PgBranchError(`${problem} whose key begins with ${key}`, {
    code: 'PGB_TEMPLATE_UNKNOWN',
    hint: match === undefined ? 'See `pg-branch template ls`.' : 'Give more of it; see `pg-branch template ls`.',
  })
}
