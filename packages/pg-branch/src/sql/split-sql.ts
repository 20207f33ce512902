import { StatementWords } from './statement-words.ts'
import { maskTrailBytes, type ByteString } from './text-encoding.ts'
import { stripLeadingComments } from './leading-comments.ts'
import { findCommandEnd } from './psql-words.ts'
import { Replacements, replaceVariable } from './replace-variable.ts'
import { findDollarEnd, findQuoteEnd, hasEscapes, skipComment, token } from './scan-tokens.ts'

/** One piece of a script, with the line and column (from 1) of its first character. */
export interface SqlItem {
  /**
   * `statement`: to be sent as it is. `copy`: `COPY … FROM stdin`, whose rows follow as `copyData`
   * until `copyEnd`. `command`: a psql command, from its backslash to the end of its arguments.
   */
  kind: 'statement' | 'copy' | 'copyData' | 'copyEnd' | 'command'
  text: ByteString
  line: number
  column: number
}

/** What the session has, which changes what marks of quotes mean. It is asked anew for every line and quote. */
export interface LexerSession {
  standardConformingStrings: boolean
  /** As Postgres names it, e.g. `UTF8`. */
  clientEncoding: string
  /** Variables of `\set`. */
  variables: ReadonlyMap<string, string>
}

/**
 * What the scanner is inside of. It starts in `code`, and every other state but `copy` returns there
 * at its closing mark; `copy` is entered by the semicolon of `COPY … FROM stdin` and left by `\.`.
 */
type State = 'code' | 'string' | 'escapeString' | 'identifier' | 'dollar' | 'blockComment' | 'copy'

type Unterminated = { state: Exclude<State, 'code'> } & Pick<SqlItem, 'line' | 'column'>

/** Rows of COPY are passed on in pieces of about this size. */
const copyPieceChars = 64 * 1024

/**
 * Splits a script the way psql does (source: psqlscan.l): semicolons end a statement except inside
 * quotes, comments, parentheses and the `BEGIN ATOMIC … END` body of a function.
 *
 * Feed it text in pieces that end at line breaks; no token but quoted text spans lines. What a statement does to
 * the session holds for what follows it, so take one item, run it, and take the next.
 */
export class SqlSplitter {
  readonly #session: LexerSession
  #state: State = 'code'
  #dollarTag = ''
  #commentDepth = 0
  #parenDepth = 0
  #words = new StatementWords()
  /** The string that ended last: one that follows on another line continues it. */
  #lastString: { state: 'string' | 'escapeString'; end: number } | undefined
  #endedString: 'string' | 'escapeString' | undefined
  #pending = ''
  #start = { line: 1, column: 1 }
  /** Where the quote or comment began that the scanner is in, or was in last. */
  #opened = { line: 1, column: 1 }
  #line = 0
  #copyRows = ''
  #copyLine = 0
  /** What stands behind `COPY … FROM stdin;` on its line, and is run when the rows have been read. */
  #afterCopy: { text: string; line: number } | undefined

  constructor(session: LexerSession) {
    this.#session = session
  }

  /** Gives the items that `text` (whole lines) completes. */
  *push(text: ByteString): Generator<SqlItem> {
    for (const line of text.split(/(?<=\n)/)) {
      if (this.#state === 'copy') {
        this.#line += 1
        yield* this.#pushCopyLine(line)
        continue
      }
      // A carriage return by itself ends a line for the scanner, and so a comment.
      for (const part of line.split(/(?<=\r)(?!\n)/)) {
        this.#line += 1
        yield* this.#scanLine(part)
      }
    }
  }

  /** @returns what is left at the end of the file; in the middle of something, of what, and where that began. */
  end(): { items: SqlItem[]; unterminated?: Unterminated } {
    if (this.#state === 'code') return { items: [...this.#finishStatement()] }
    return { items: [], unterminated: { state: this.#state, ...(this.#state === 'copy' ? this.#start : this.#opened) } }
  }

  *#pushCopyLine(line: string): Generator<SqlItem> {
    const isEnd = /^\\\.\r?\n?$/.test(line)
    if (this.#copyRows === '') this.#copyLine = this.#line
    if (!isEnd) this.#copyRows += line
    if (this.#copyRows !== '' && (isEnd || this.#copyRows.length >= copyPieceChars)) {
      const text = this.#copyRows
      this.#copyRows = ''
      yield { kind: 'copyData', text, line: this.#copyLine, column: 1 }
    }
    if (!isEnd) return
    this.#state = 'code'
    yield { kind: 'copyEnd', text: '', line: this.#line, column: 1 }
    const [rest, ended] = [this.#afterCopy, this.#line]
    if (rest === undefined) return
    this.#afterCopy = undefined
    this.#line = rest.line
    yield* this.#scanLine(rest.text)
    this.#line = ended
  }

  *#scanLine(whole: string): Generator<SqlItem> {
    let line = whole
    let masked = maskTrailBytes(line, this.#session.clientEncoding)
    let from = 0
    const take = (to: number) => {
      this.#append(line.slice(from, to), from)
      from = to
    }
    const replacements = new Replacements()
    for (let at = 0; at < line.length;) {
      if (this.#state !== 'code') {
        at = this.#skipQuoted(masked, at)
        if ((this.#state as State) === 'code') this.#noteStringEnd(at - from)
        continue
      }
      token.lastIndex = at
      const match = token.exec(masked)
      if (match === null) break
      const [text] = match
      at = match.index + text.length
      if (text === ';') {
        if (this.#parenDepth > 0 || this.#words.isInBody) continue
        take(at)
        yield* this.#finishStatement()
        masked = maskTrailBytes(line, this.#session.clientEncoding)
        if ((this.#state as State) === 'copy') {
          // Blanks in front keep the columns.
          if (line.slice(at).trim() !== '')
            this.#afterCopy = { text: ' '.repeat(at) + line.slice(at), line: this.#line }
          return
        }
      } else if (text === '\\') {
        take(match.index)
        const command = line.slice(match.index, findCommandEnd(line, match.index)).trim()
        at = findCommandEnd(line, match.index)
        // Two backslashes part a command from what follows it.
        if (line.startsWith('\\\\', at)) at += 2
        from = at
        yield { kind: 'command', text: command, line: this.#line, column: match.index + 1 }
        masked = maskTrailBytes(line, this.#session.clientEncoding)
      } else if (text === '--') {
        // Kept inside a statement, so that Postgres's error positions stay right; dropped before one.
        if (this.#pending.trim() === '' && line.slice(from, match.index).trim() === '') return
        break
      } else if (text.startsWith(':')) {
        const isOpen = text === '::' || replacements.isInside(text, match.index)
        const value = isOpen ? undefined : replaceVariable(text, this.#session.variables)
        if (value === undefined) continue
        line = line.slice(0, match.index) + value + line.slice(at)
        masked = maskTrailBytes(line, this.#session.clientEncoding)
        replacements.add(text, { from: match.index, to: at, length: value.length })
        // What stands in quotes is one token; anything else is scanned in its turn.
        at = match.index + (/^:["'{]/.test(text) ? value.length : 0)
      } else {
        this.#enter(text, masked, { index: match.index, from })
      }
    }
    take(line.length)
  }

  /** Handles a token that changes state or depth. */
  #enter(text: string, line: string, { index, from }: { index: number; from: number }): void {
    this.#opened = { line: this.#line, column: index + 1 }
    if (text === "'") this.#state = this.#chooseString(line, { index, from })
    else if (text === '"') this.#state = 'identifier'
    else if (text === '/*') {
      this.#state = 'blockComment'
      this.#commentDepth = 1
    } else if (text.startsWith('$')) {
      this.#state = 'dollar'
      this.#dollarTag = text
    } else if (text === '(') this.#parenDepth += 1
    else if (text === ')') this.#parenDepth = Math.max(0, this.#parenDepth - 1)
    else this.#words.add(text.toLowerCase(), { isInParens: this.#parenDepth > 0 })
  }

  /** A string that continues another one is of its kind. */
  #chooseString(line: string, { index, from }: { index: number; from: number }): 'string' | 'escapeString' {
    const last = this.#lastString
    if (last !== undefined) {
      const between = (this.#pending + line.slice(from, index)).slice(last.end)
      if (/^(\s|--[^\n]*\n)*$/.test(between) && between.includes('\n')) return last.state
    }
    return hasEscapes(line.slice(0, index), this.#session) ? 'escapeString' : 'string'
  }

  #noteStringEnd(lengthInLine: number): void {
    if (this.#endedString === undefined) return
    this.#lastString = { state: this.#endedString, end: this.#pending.length + lengthInLine }
    this.#endedString = undefined
  }

  /** @returns where the quoted text or comment ends, or the end of the line if it goes on. */
  #skipQuoted(line: string, at: number): number {
    if (this.#state === 'blockComment') {
      const comment = skipComment(line, at, this.#commentDepth)
      this.#commentDepth = comment.depth
      if (comment.depth === 0) this.#state = 'code'
      return comment.end
    }
    const end =
      this.#state === 'dollar'
        ? findDollarEnd(line, at, this.#dollarTag)
        : findQuoteEnd(line, at, {
            quote: this.#state === 'identifier' ? '"' : "'",
            escapes: this.#state === 'escapeString',
          })
    if (end === undefined) return line.length
    if (this.#state === 'string' || this.#state === 'escapeString') this.#endedString = this.#state
    this.#state = 'code'
    return end
  }

  #append(text: string, column: number): void {
    if (this.#pending === '') {
      const lead = text.length - text.trimStart().length
      if (lead === text.length) return
      this.#start = { line: this.#line, column: column + lead + 1 }
      if (this.#lastString !== undefined) this.#lastString.end -= lead
      this.#pending = text.slice(lead)
    } else {
      this.#pending += text
    }
  }

  *#finishStatement(): Generator<SqlItem> {
    const text = this.#pending.trimEnd()
    const bare = stripLeadingComments(text)
    const { isCopyIn } = this.#words
    this.#pending = ''
    this.#words = new StatementWords()
    this.#lastString = undefined
    this.#parenDepth = 0
    if (bare === '' || bare === ';') return
    if (isCopyIn) this.#state = 'copy'
    yield { kind: isCopyIn ? 'copy' : 'statement', text, ...this.#start }
  }
}
