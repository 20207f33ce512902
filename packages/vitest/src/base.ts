import { PgBranchError } from 'pg-branch/runner'
import { builtinEnvironments, type Environment } from 'vitest/runtime'

/** @throws PgBranchError `PGB_OPTION_INVALID` for a base that Vitest does not have. */
export function findBase(options: unknown): Environment {
  const name = (options as { base?: unknown } | null)?.base ?? 'node'
  if (name === 'node' || name === 'jsdom' || name === 'happy-dom') return builtinEnvironments[name]
  throw new PgBranchError(`the environment option \`pgBranch.base\` is ${JSON.stringify(name)}`, {
    code: 'PGB_OPTION_INVALID',
    hint: "Allowed: 'node', 'jsdom', 'happy-dom'.",
  })
}
