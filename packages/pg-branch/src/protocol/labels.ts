/** In place of a test's name, while hooks run that belong to none. */
export const hooksLabel = 'beforeAll'

/** Begins the names that runner packages give to snapshots, e.g. of the state after `beforeAll`. */
export const internalPrefix = 'pg-branch:'

export function isInternalSnapshot(name: string): boolean {
  return name.startsWith(internalPrefix)
}
