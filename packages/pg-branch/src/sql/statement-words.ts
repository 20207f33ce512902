/** What the words of a statement say about where it ends (source: psqlscan.l and its `identifier` rule). */
export class StatementWords {
  readonly #first: string[] = []
  #last = ''
  #beginDepth = 0
  /** It is `COPY … FROM STDIN`: rows follow. */
  isCopyIn = false

  /** Inside the `BEGIN ATOMIC … END` body of a function or procedure, where semicolons end nothing. */
  get isInBody(): boolean {
    return this.#beginDepth > 0
  }

  /** @param word in lower case. */
  add(word: string, { isInParens }: { isInParens: boolean }): void {
    if (this.#first.length < 4) this.#first.push(word)
    const [first, second, third, fourth] = this.#first
    if (first === 'copy' && !isInParens && this.#last === 'from' && word === 'stdin') this.isCopyIn = true
    this.#last = word
    const object = second === 'or' && third === 'replace' ? fourth : second
    if (first !== 'create' || (object !== 'function' && object !== 'procedure') || isInParens) return
    if (word === 'begin') this.#beginDepth += 1
    else if (word === 'case' && this.#beginDepth > 0) this.#beginDepth += 1
    else if (word === 'end' && this.#beginDepth > 0) this.#beginDepth -= 1
  }
}
