/**
 * @param before what stands in front of a string's opening quote.
 * @returns whether backslashes mean something in the string.
 */
export function hasEscapes(before: string, session: { standardConformingStrings: boolean }): boolean {
  if (/(^|[^\w$\u0080-\uffff])e$/i.test(before)) return true
  // Bits, hexadecimal digits, and names by code point have no such marks.
  return !session.standardConformingStrings && !/(^|[^\w$\u0080-\uffff])([bx]|u&)$/i.test(before)
}

/** @returns where a quoted text that has begun ends; undefined if it goes on behind this line. */
export function findQuoteEnd(
  line: string,
  at: number,
  { quote, escapes }: { quote: string; escapes: boolean },
): number | undefined {
  for (let index = at; index < line.length; index += 1) {
    const char = line[index]
    if (char === '\\' && escapes) index += 1
    else if (char === quote) {
      // A doubled quote is one character of the text.
      if (line[index + 1] !== quote) return index + 1
      index += 1
    }
  }
  return undefined
}

/** @returns where a dollar-quoted text ends. */
export function findDollarEnd(line: string, at: number, tag: string): number | undefined {
  const end = line.indexOf(tag, at)
  return end === -1 ? undefined : end + tag.length
}

/** @returns where a comment ends, or the end of the line, and how deep it is there: comments hold others. */
export function skipComment(line: string, at: number, depth: number): { end: number; depth: number } {
  const mark = /\/\*|\*\//g
  mark.lastIndex = at
  let open = depth
  for (let match = mark.exec(line); match !== null; match = mark.exec(line)) {
    open += match[0] === '/*' ? 1 : -1
    if (open === 0) return { end: mark.lastIndex, depth: 0 }
  }
  return { end: line.length, depth: open }
}

/** All that the scanner must see in code: marks, variables of psql's, and words (to know BEGIN and END). */
export const token: RegExp =
  /--|\/\*|;|\\|'|"|\(|\)|::|:(?:[\w\u0080-\uffff]+|'[\w\u0080-\uffff]+'|"[\w\u0080-\uffff]+"|\{\?[\w\u0080-\uffff]+\})|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/g
