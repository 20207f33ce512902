import * as v from 'valibot'
import { PgBranchError } from '../lib/errors.ts'
import { parseRecord } from '../lib/record.ts'
import { digestSchema, pushAgainHint, sizeSchema } from './blobs.ts'
import type { Ref } from './contract.ts'

const blobSchema = v.object({
  digest: digestSchema,
  bytes: sizeSchema,
})

const refSchema: v.GenericSchema<unknown, Ref> = v.object({
  manifest: blobSchema,
  blobs: v.array(blobSchema),
  annotations: v.record(v.string(), v.string()),
})

/** @returns a name's content for stores that keep text. */
export function formatRef(ref: Ref): string {
  return JSON.stringify(ref)
}

/** @param source where the text was read, for people. @throws PgBranchError `PGB_ARTEFACT` for anything else. */
export function parseRef(text: string, source: string): Ref {
  const result = parseRecord(text, refSchema)
  if (result !== undefined && 'value' in result) return result.value
  throw new PgBranchError(`${source} in the template store is damaged: ${result?.problem ?? 'it is empty'}`, {
    code: 'PGB_ARTEFACT',
    hint: pushAgainHint,
  })
}
