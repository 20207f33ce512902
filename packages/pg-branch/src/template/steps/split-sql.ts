/** One piece of a script, with the line and column (from 1) of its first character. */
export interface SqlItem {
  /**
   * `statement`: to be sent as it is. `copy`: `COPY … FROM stdin`, whose rows follow as `copyData`
   * until `copyEnd`. `command`: a psql command, from its backslash to the end of the line.
   */
  kind: 'statement' | 'copy' | 'copyData' | 'copyEnd' | 'command'
  text: string
  line: number
  column: number
}

/**
 * What the scanner is inside of. It starts in `code`, and every other state but `copy` returns there
 * at its closing mark; `copy` is entered by the semicolon of `COPY … FROM stdin` and left by `\.`.
 */
type State = 'code' | 'string' | 'escapeString' | 'identifier' | 'dollar' | 'blockComment' | 'copy'

const copyFromStdin = /^copy\b[\s\S]*\bfrom\s+stdin\b/i
/** Rows of COPY are passed on in pieces of about this size. */
const copyPieceChars = 64 * 1024

/**
 * Splits a script the way psql does (source: psqlscan.l): semicolons end a statement except inside
 * quotes, comments, parentheses and the `BEGIN ATOMIC … END` body of a function.
 *
 * Feed it text in pieces that end at line breaks; no token but quoted text spans lines.
 */
export class SqlSplitter {
  #state: State = 'code'
  #dollarTag = ''
  #commentDepth = 0
  #parenDepth = 0
  #beginDepth = 0
  #words: string[] = []
  #pending = ''
  #start = { line: 1, column: 1 }
  #line = 0
  #copyRows = ''

  /** @returns the items that `text` (whole lines) completes. */
  push(text: string): SqlItem[] {
    const items: SqlItem[] = []
    for (const line of text.split(/(?<=\n)/)) {
      this.#line += 1
      if (this.#state === 'copy') this.#pushCopyLine(line, items)
      else this.#scanLine(line, items)
    }
    return items
  }

  /** @returns what is left at the end of the file, and the state if that is in the middle of something. */
  end(): { items: SqlItem[]; unterminated: Exclude<State, 'code'> | undefined } {
    const items: SqlItem[] = []
    const unterminated = this.#state === 'code' ? undefined : this.#state
    if (unterminated === undefined) this.#finishStatement(items)
    return { items, unterminated }
  }

  /** Where the unfinished statement began. */
  get start(): { line: number; column: number } {
    return this.#start
  }

  #pushCopyLine(line: string, items: SqlItem[]): void {
    const isEnd = /^\\\.\r?\n?$/.test(line)
    if (!isEnd) this.#copyRows += line
    if (this.#copyRows !== '' && (isEnd || this.#copyRows.length >= copyPieceChars)) {
      items.push({ kind: 'copyData', text: this.#copyRows, line: this.#line, column: 1 })
      this.#copyRows = ''
    }
    if (!isEnd) return
    items.push({ kind: 'copyEnd', text: '', line: this.#line, column: 1 })
    this.#state = 'code'
  }

  #scanLine(line: string, items: SqlItem[]): void {
    /** Where the part of this line begins that is not yet in `#pending`. */
    let from = 0
    const take = (to: number) => {
      this.#append(line.slice(from, to), from)
      from = to
    }
    for (let at = 0; at < line.length;) {
      if (this.#state !== 'code') {
        at = this.#skipQuoted(line, at)
        continue
      }
      token.lastIndex = at
      const match = token.exec(line)
      if (match === null) break
      const [text] = match
      at = match.index + text.length
      if (text === ';') {
        if (this.#parenDepth > 0 || this.#beginDepth > 0) continue
        take(at)
        this.#finishStatement(items)
        if ((this.#state as State) === 'copy') return
      } else if (text === '\\') {
        take(match.index)
        items.push({ kind: 'command', text: line.slice(match.index).trim(), line: this.#line, column: match.index + 1 })
        return
      } else if (text === '--') {
        // Kept inside a statement, so that Postgres's error positions stay right; dropped before one.
        if (this.#pending.trim() === '' && line.slice(from, match.index).trim() === '') return
        break
      } else {
        this.#enter(text, line, match.index)
      }
    }
    take(line.length)
  }

  /** Handles a token that changes state or depth. */
  #enter(text: string, line: string, index: number): void {
    if (text === "'") this.#state = /(^|[^\w$])e$/i.test(line.slice(0, index)) ? 'escapeString' : 'string'
    else if (text === '"') this.#state = 'identifier'
    else if (text === '/*') {
      this.#state = 'blockComment'
      this.#commentDepth = 1
    } else if (text.startsWith('$')) {
      this.#state = 'dollar'
      this.#dollarTag = text
    } else if (text === '(') this.#parenDepth += 1
    else if (text === ')') this.#parenDepth = Math.max(0, this.#parenDepth - 1)
    else this.#countWord(text.toLowerCase())
  }

  /** Tracks `BEGIN … END` in `CREATE [OR REPLACE] FUNCTION | PROCEDURE`. */
  #countWord(word: string): void {
    if (this.#words.length < 4) this.#words.push(word)
    const [first, second, third, fourth] = this.#words
    const object = second === 'or' && third === 'replace' ? fourth : second
    if (first !== 'create' || (object !== 'function' && object !== 'procedure') || this.#parenDepth > 0) return
    if (word === 'begin') this.#beginDepth += 1
    else if (word === 'case' && this.#beginDepth > 0) this.#beginDepth += 1
    else if (word === 'end' && this.#beginDepth > 0) this.#beginDepth -= 1
  }

  /** @returns where the quoted text or comment ends, or the end of the line if it goes on. */
  #skipQuoted(line: string, at: number): number {
    if (this.#state === 'dollar') {
      const end = line.indexOf(this.#dollarTag, at)
      if (end === -1) return line.length
      this.#state = 'code'
      return end + this.#dollarTag.length
    }
    if (this.#state === 'blockComment') return this.#skipComment(line, at)
    const quote = this.#state === 'identifier' ? '"' : "'"
    for (let index = at; index < line.length; index += 1) {
      const char = line[index]
      if (char === '\\' && this.#state === 'escapeString') index += 1
      else if (char === quote) {
        // A doubled quote is one character of the text; two strings side by side scan the same.
        this.#state = 'code'
        return index + 1
      }
    }
    return line.length
  }

  #skipComment(line: string, at: number): number {
    const mark = /\/\*|\*\//g
    mark.lastIndex = at
    for (let match = mark.exec(line); match !== null; match = mark.exec(line)) {
      this.#commentDepth += match[0] === '/*' ? 1 : -1
      if (this.#commentDepth > 0) continue
      this.#state = 'code'
      return mark.lastIndex
    }
    return line.length
  }

  #append(text: string, column: number): void {
    if (this.#pending === '') {
      const lead = text.length - text.trimStart().length
      if (lead === text.length) return
      this.#start = { line: this.#line, column: column + lead + 1 }
      this.#pending = text.slice(lead)
    } else {
      this.#pending += text
    }
  }

  #finishStatement(items: SqlItem[]): void {
    const text = this.#pending.trimEnd()
    const bare = text.replace(/^(\s*\/\*[\s\S]*?\*\/|\s*--[^\n]*\n)+\s*/, '')
    this.#pending = ''
    this.#words = []
    this.#parenDepth = 0
    this.#beginDepth = 0
    if (bare === '' || bare === ';' || /^(--[^\n]*|\/\*[\s\S]*\*\/)$/.test(bare)) return
    const isCopy = copyFromStdin.test(bare)
    items.push({ kind: isCopy ? 'copy' : 'statement', text, ...this.#start })
    if (isCopy) this.#state = 'copy'
  }
}

/** All that the scanner must see in code: marks, and words (to know BEGIN and END). */
const token =
  /--|\/\*|;|\\|'|"|\(|\)|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/g
