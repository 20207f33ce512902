import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { PgBranchError } from '../lib/errors.ts'
import type { ArtefactStore, Blob } from './contract.ts'

/** What a name points at that has nothing but annotations (OCI image specification, "empty descriptor"). */
export const emptyContent: Buffer = Buffer.from('{}')
export const emptyBlob: Blob = describeContent(emptyContent)

/** How whoever wrote something names its content. */
export const digestSchema: v.GenericSchema<string> = v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/))
/** A number of bytes, or a place among them. */
export const sizeSchema: v.GenericSchema<number> = v.pipe(v.number(), v.integer(), v.minValue(0))

/** @returns the SHA-256 in hexadecimal. */
export function hashContent(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

export function describeContent(content: Buffer): Blob {
  return { digest: `sha256:${hashContent(content)}`, bytes: content.length }
}

/** For whoever finds something damaged. */
export const pushAgainHint =
  'Nothing of it was used. From a machine that has the template: pg-branch template push --force'

/** @throws PgBranchError `PGB_ARTEFACT` if a blob is not there, or is not what it is called. */
export async function readVerified(store: ArtefactStore, blob: Blob): Promise<Buffer> {
  const content = await store.readBlob(blob)
  if (content === undefined) throw createBlobError(blob, { store, problem: 'is missing' })
  const found = describeContent(content)
  if (found.bytes < blob.bytes) throw createBlobError(blob, { store, problem: 'is truncated' })
  if (found.digest !== blob.digest) throw createBlobError(blob, { store, problem: 'is corrupt: its hash is another' })
  return content
}

function createBlobError(
  { digest, bytes }: Blob,
  { store, problem }: { store: ArtefactStore; problem: string },
): PgBranchError {
  return new PgBranchError(`${digest.slice(0, 19)} (${bytes} bytes) in ${store.label} ${problem}`, {
    code: 'PGB_ARTEFACT',
    hint: pushAgainHint,
  })
}
