import { skipComment } from './scan-tokens.ts'

/** @returns the text without the blanks and comments in front of its first word; block comments may hold others. */
export function stripLeadingComments(text: string): string {
  let at = 0
  for (;;) {
    while (/\s/.test(text[at] ?? '')) at += 1
    if (text.startsWith('--', at)) {
      const end = /[\r\n]/.exec(text.slice(at))
      if (end === null) return ''
      at += end.index
    } else if (text.startsWith('/*', at)) {
      at = skipComment(text, at, 0).end
    } else {
      return text.slice(at)
    }
  }
}
