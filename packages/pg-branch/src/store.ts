/**
 * For packages that bring a store of templates: a module with `openStore`, as `@pg-branch/s3` has it.
 *
 * @packageDocumentation
 */
export type { ArtefactStore, Blob, Ref, StoreModule, WriteOutcome } from './artefact/contract.ts'
export { formatRef, parseRef } from './artefact/ref.ts'
export { PgBranchError } from './lib/errors.ts'
