import { readCString } from './messages.ts'

const setStatement = /\bset\s+(?:session\s+|local\s+)?((?:"[^"]+"|\w+)(?:\s*\.\s*(?:"[^"]+"|\w+))*)\s*(?:=|\bto\b)/gi
const setConfigLiteral = /\bset_config\s*\(\s*'([^']+)'/gi
const setConfigParameter = /\bset_config\s*\(\s*\$/i
const comment = /\/\*.*?\*\/|--[^\n]*/gs
const customName = /^\w+(?:\.\w+)+$/

/**
 * Finds the names of settings of the user's own, such as `app.tenant`, that a statement sets. Postgres
 * lists all other settings of a session itself (`pg_settings`), but not these.
 *
 * @returns names with a dot; what a function sets inside is not seen.
 */
export function findSettingNames(text: string): string[] {
  if (!/set/i.test(text)) return []
  // With comments and without: what looks like one may stand in a string.
  const texts = new Set([text, text.replaceAll(comment, ' ')])
  const names = [...texts].flatMap(findNames)
  return [...new Set(names)].filter((name) => customName.test(name))
}

function findNames(text: string): string[] {
  const inStatements = [...text.matchAll(setStatement)].map(([, name = '']) => name.replaceAll(/["\s]/g, ''))
  const inCalls = [...text.matchAll(setConfigLiteral)].map(([, name = '']) => name)
  return [...inStatements, ...inCalls]
}

/** @returns names of settings among the values of a Bind message whose statement calls `set_config($1, …)`. */
export function findBoundSettingNames(text: string, bind: Buffer): string[] {
  if (!setConfigParameter.test(text)) return []
  return readBoundValues(bind).filter((value) => customName.test(value))
}

/** @returns the values of a Bind message as text, those that are NULL left out. */
function readBoundValues(bind: Buffer): string[] {
  let offset = readCString(bind, readCString(bind, 5).next).next
  const formats = bind.readInt16BE(offset)
  offset += 2 + formats * 2
  const values: string[] = []
  const count = bind.readInt16BE(offset)
  offset += 2
  for (let index = 0; index < count; index += 1) {
    const length = bind.readInt32BE(offset)
    offset += 4
    if (length < 0) continue
    values.push(bind.toString('utf8', offset, offset + length))
    offset += length
  }
  return values
}
