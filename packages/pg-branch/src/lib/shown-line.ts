import { stripVTControlCharacters } from 'node:util'

/** What makes a terminal write over a line: carriage return, erase in line, to a column (ECMA-48: CR, EL, CHA). */
const rewrites = new RegExp(String.raw`\r|\u001B\[\d*[KG]`)

/** @returns what a terminal shows of a line in the end, e.g. of a spinner its last state, without colours. */
export function getShownLine(line: string): string {
  const states = line.split(rewrites).map((state) => stripVTControlCharacters(state).trimEnd())
  return states.findLast((state) => state !== '') ?? ''
}
