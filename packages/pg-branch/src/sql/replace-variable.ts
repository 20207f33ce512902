/**
 * @param text `:name`, `:'name'`, `:"name"` or `:{?name}`.
 * @returns what psql puts in its place; undefined if there is no such variable, so that the text stays.
 */
export function replaceVariable(text: string, variables: ReadonlyMap<string, string>): string | undefined {
  const [, name = ''] = /^:(?:['"]|\{\?)?([\w\u0080-\uffff]+)/.exec(text) ?? []
  if (text.startsWith(':{')) return variables.has(name) ? 'TRUE' : 'FALSE'
  const value = variables.get(name)
  if (value === undefined) return undefined
  if (text[1] === '"') return `"${value.replaceAll('"', '""')}"`
  if (text[1] !== "'") return value
  const quoted = value.replaceAll("'", "''")
  return value.includes('\\') ? ` E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`
}

/** Variables whose values are being scanned: one that names itself in its value is not replaced again there, as in psql. */
export class Replacements {
  #open: Array<{ text: string; end: number }> = []

  isInside(text: string, at: number): boolean {
    this.#open = this.#open.filter(({ end }) => at < end)
    return this.#open.some((replacement) => replacement.text === text)
  }

  /** @param where what stood there, and how long the value is that stands there now. */
  add(text: string, { from, to, length }: { from: number; to: number; length: number }): void {
    const growth = length - (to - from)
    for (const replacement of this.#open) if (replacement.end >= to) replacement.end += growth
    this.#open.push({ text, end: from + length })
  }
}
