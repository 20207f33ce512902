import { PgBranchError } from '../lib/errors.ts'
import type { EnvironmentOptions } from '../protocol/environment-options.ts'

/** Who shares a branch. */
export type Scope = 'file' | 'worker' | 'test'

/** Anything else is refused by the supervisor, which validates all options. */
export function pickScope(options: unknown): Scope | undefined {
  const scope = (options as { scope?: unknown } | null)?.scope
  return scope === 'file' || scope === 'worker' || scope === 'test' ? scope : undefined
}

/** Names that only ours have: other environments may have a `config` or a `base`. */
const unmistakable = new Set<string>(['scope', 'diffOnFailure', 'leftOver'] satisfies Array<keyof EnvironmentOptions>)

/**
 * Runners hand over the options of all environments at once, and Vitest those of a file's comment under
 * the environment's name: ours are those whose name is ours, however it is spelt.
 *
 * @throws PgBranchError `PGB_OPTION_INVALID` for ours in another place, where nobody would look at them.
 */
export function pickOptions(environmentOptions: Record<string, unknown>): unknown {
  const names = Object.keys(environmentOptions)
  const misplaced = names.find((name) => unmistakable.has(name))
  if (misplaced !== undefined) {
    throw new PgBranchError(`the environment option \`${misplaced}\` stands beside \`pgBranch\` and not in it`, {
      code: 'PGB_OPTION_INVALID',
      hint: `Write { pgBranch: { ${misplaced}: … } }.`,
    })
  }
  // The comment of a file comes last, and is for this file.
  const found = names.findLast((name) => name.replace(/[-_]/g, '').toLowerCase() === 'pgbranch')
  return (found === undefined ? undefined : environmentOptions[found]) ?? {}
}
