import { withFork, type Origin } from '../branch/origin.ts'
import type { DatabaseAddress } from '../lib/connection-uri.ts'
import { PgBranchError } from '../lib/errors.ts'
import type { NamedBranches } from './named-branches.ts'
import type { ReadyProject } from './project.ts'

/** A state of a project's database, as people write it. */
export type StateRef =
  | { kind: 'branch'; name: string }
  | { kind: 'snapshot'; name: string; snapshot: string }
  | { kind: 'template'; key: string | undefined }

/** As Git's, so that a branch can be called as the one of the code that it is for; `@` parts a snapshot's name. */
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,99}$/

/** @throws PgBranchError `PGB_ARGUMENT`. */
export function checkName(name: string, what: 'branch' | 'snapshot'): string {
  if (namePattern.test(name) && !(what === 'branch' && name === 'template')) return name
  throw new PgBranchError(`${JSON.stringify(name)} cannot be the name of a ${what}`, {
    code: 'PGB_ARGUMENT',
    hint: 'It begins with a letter or digit and has up to 100 letters, digits, dots, dashes, slashes and underscores; `template` is taken.',
  })
}

/** @throws PgBranchError `PGB_ARGUMENT`. */
export function parseState(text: string): StateRef {
  const [, key] = /^template(?::([0-9a-f]{4,}))?$/.exec(text) ?? [undefined, undefined]
  if (text === 'template' || key !== undefined) return { kind: 'template', key }
  if (text.startsWith('template:')) {
    throw new PgBranchError(`there is no template whose key begins with ${text.slice('template:'.length)}`, {
      code: 'PGB_TEMPLATE_UNKNOWN',
      hint: 'Give at least four digits of one that `pg-branch template ls` shows.',
    })
  }
  const [name = '', ...rest] = text.split('@')
  checkName(name, 'branch')
  if (rest.length === 0) return { kind: 'branch', name }
  return { kind: 'snapshot', name, snapshot: checkName(rest.join('@'), 'snapshot') }
}

export interface StateContext {
  project: ReadyProject
  branches: NamedBranches
}

/** @returns what a state can be forked from, with the caller as a user. */
export async function openState(text: string, { project, branches }: StateContext): Promise<Origin> {
  const state = parseState(text)
  if (state.kind === 'template') {
    if (state.key !== undefined) return project.openTemplate(state.key)
    project.origin.retain()
    return project.origin
  }
  const { workspace } = (await branches.get(project.plan.config.baseDir, state.name)).lease
  return workspace.getOrigin(state.kind === 'snapshot' ? state.snapshot : undefined)
}

/** Runs `action` with a database that has a state: a branch itself, or a fork that is removed afterwards. */
export async function withState<T>(
  text: string,
  context: StateContext,
  action: (admin: DatabaseAddress) => Promise<T>,
): Promise<T> {
  const state = parseState(text)
  if (state.kind === 'branch') {
    const { workspace } = (await context.branches.get(context.project.plan.config.baseDir, state.name)).lease
    return action(workspace.branch.admin)
  }
  return withFork(await openState(text, context), (branch) => action(branch.admin))
}
