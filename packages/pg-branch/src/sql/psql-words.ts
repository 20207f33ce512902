import { replaceVariable } from './replace-variable.ts'
import type { ByteString } from './text-encoding.ts'

/** An argument of a psql command. */
export interface PsqlWord {
  /** Single quotes are resolved; double quotes stay, since most commands take them for part of the text. */
  text: ByteString
  /** Whether it was written in backquotes, which psql runs in a shell. */
  runsShell: boolean
}

const blank = /[ \t\n\r\f\v]/

/** @returns where a command that begins at `at` ends: at a backslash outside of quotes, or at the end of the line. */
export function findCommandEnd(line: ByteString, at: number): number {
  let index = at + 1
  while (index < line.length && !blank.test(line[index] ?? '') && line[index] !== '\\') index += 1
  while (index < line.length && line[index] !== '\\') index = skipPiece(line, index)
  return index
}

/** @returns where one character outside of quotes, or all that stands in quotes, ends. */
function skipPiece(text: string, at: number): number {
  const quote = text[at] ?? ''
  if (!'\'"`'.includes(quote)) return at + 1
  for (let index = at + 1; index < text.length; index += 1) {
    if (quote === "'" && text[index] === '\\') index += 1
    else if (text[index] === quote) {
      if (quote !== "'" || text[index + 1] !== "'") return index + 1
      index += 1
    }
  }
  return text.length
}

/**
 * Reads the arguments of a psql command as psqlscanslash.l does: they are parted by blanks, and may be put together
 * from pieces with and without quotes. Variables are replaced now, and not when the result is used.
 */
export function parsePsqlWords(text: ByteString, variables: ReadonlyMap<string, string>): PsqlWord[] {
  const words: PsqlWord[] = []
  let word: PsqlWord | undefined
  for (let at = 0; at < text.length;) {
    if (blank.test(text[at] ?? '')) {
      if (word !== undefined) words.push(word)
      word = undefined
      at += 1
      continue
    }
    word ??= { text: '', runsShell: false }
    const variable = /^:(?:[\w\u0080-\uffff]+|'[\w\u0080-\uffff]+'|"[\w\u0080-\uffff]+"|\{\?[\w\u0080-\uffff]+\})/.exec(
      text.slice(at),
    )?.[0]
    const value = variable === undefined ? undefined : replaceVariable(variable, variables)
    if (variable !== undefined && value !== undefined) {
      word.text += value
      at += variable.length
      continue
    }
    const end = skipPiece(text, at)
    const piece = text.slice(at, end)
    word.text += piece.startsWith("'") ? resolveQuoted(piece) : piece
    word.runsShell ||= piece.startsWith('`')
    at = end
  }
  if (word !== undefined) words.push(word)
  return words
}

const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }

function resolveQuoted(piece: string): string {
  return piece
    .slice(1, -1)
    .replaceAll(
      /''|\\(?:([0-7]{1,3})|x([0-9a-f]{1,2})|([\s\S]))/gi,
      (_, octal?: string, hex?: string, char?: string) => {
        if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff)
        if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
        return char === undefined ? "'" : (escapes[char] ?? char)
      },
    )
}
