/** Who shares a branch. */
export type Scope = 'file' | 'worker' | 'test'

/** Anything else is refused by the supervisor, which validates all options. */
export function pickScope(options: unknown): Scope | undefined {
  const scope = (options as { scope?: unknown } | null)?.scope
  return scope === 'file' || scope === 'worker' || scope === 'test' ? scope : undefined
}

/**
 * Runners hand over the options of all environments at once, and Vitest those of a file's comment under
 * the environment's name: ours are those whose name is ours, however it is spelt.
 */
export function pickOptions(environmentOptions: Record<string, unknown>): unknown {
  const found = Object.keys(environmentOptions).find((name) => name.replace(/[-_]/g, '').toLowerCase() === 'pgbranch')
  return (found === undefined ? undefined : environmentOptions[found]) ?? {}
}
