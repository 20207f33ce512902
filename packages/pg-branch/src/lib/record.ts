import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { hashValue } from './hash.ts'
import { createLog } from './log.ts'

const log = createLog('record')

/** What is wrong with a record, for people. */
export interface UnreadableRecord {
  problem: string
}

/**
 * Reads JSON that this or an earlier process has written, and whoever else can write there.
 *
 * @returns undefined if there is none, or it is not of the schema: then it is as if it were not there.
 */
export async function readRecord<T>(file: string, schema: v.GenericSchema<unknown, T>): Promise<T | undefined> {
  return orAbsent(file, parseRecord(await readFile(file, 'utf8').catch(() => undefined), schema))
}

/** As `readRecord`, of what `sealRecord` wrote. */
export async function readSealedRecord<T>(file: string, schema: v.GenericSchema<unknown, T>): Promise<T | undefined> {
  return orAbsent(file, parseSealedRecord(await readFile(file, 'utf8').catch(() => undefined), schema))
}

export function readRecordSync<T>(file: string, schema: v.GenericSchema<unknown, T>): T | undefined {
  let text: string | undefined
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  return orAbsent(file, parseRecord(text, schema))
}

function orAbsent<T>(file: string, result: { value: T } | UnreadableRecord | undefined): T | undefined {
  if (result === undefined) return undefined
  if ('value' in result) return result.value
  log('%s is as if it were not there: %s', file, result.problem)
  return undefined
}

/** @returns what is in the text, or what is wrong with it; undefined of no text. */
export function parseRecord<T>(
  text: string | undefined,
  schema: v.GenericSchema<unknown, T>,
): { value: T } | UnreadableRecord | undefined {
  if (text === undefined) return undefined
  const parsed = parseJson(text)
  return 'problem' in parsed ? parsed : applySchema(parsed.value, schema)
}

const checksumName = 'checksum'

/** @returns JSON that carries a checksum of itself, for what a schema alone could not tell from other, wrong words. */
export function sealRecord(record: object): string {
  return JSON.stringify({ ...record, [checksumName]: hashValue(record) })
}

/** As `parseRecord`, of what `sealRecord` wrote. */
export function parseSealedRecord<T>(
  text: string | undefined,
  schema: v.GenericSchema<unknown, T>,
): { value: T } | UnreadableRecord | undefined {
  if (text === undefined) return undefined
  const parsed = parseJson(text)
  if ('problem' in parsed) return parsed
  const sealed = v.safeParse(v.looseObject({ [checksumName]: v.string() }), parsed.value)
  if (!sealed.success) return { problem: 'it has no checksum' }
  const { [checksumName]: checksum, ...record } = sealed.output
  if (hashValue(record) !== checksum) return { problem: 'it is not as it was written: its checksum is another' }
  return applySchema(record, schema)
}

function parseJson(text: string): { value: unknown } | UnreadableRecord {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return { problem: 'it is not JSON' }
  }
}

function applySchema<T>(value: unknown, schema: v.GenericSchema<unknown, T>): { value: T } | UnreadableRecord {
  const result = v.safeParse(schema, value)
  if (result.success) return { value: result.output }
  const [issue] = result.issues
  const path = v.getDotPath(issue)
  return { problem: `${path === null ? 'the whole' : `"${path}"`} is not as it was written: ${issue.message}` }
}
