/** In place of a test's name, while hooks run that belong to none. */
export const hooksLabel = 'beforeAll'

/** Of names that runner packages give to snapshots, e.g. of the state after `beforeAll`. */
export const internalPrefix = 'pg-branch:'
