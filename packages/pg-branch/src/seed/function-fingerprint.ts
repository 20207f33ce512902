/** The default export as jiti (`exports.default =`) or the user (`export default`) writes it. */
const defaultExport =
  /(?:var _default = )?\bexports\.default\s*=(?!\s*void 0)\s*|^export default\s+|^module\.exports\s*=\s*/m

/**
 * @returns the text of a configuration file on which its function steps may depend: all but the
 * default export itself, whose other parts (a new step, a pool size) must not rebuild earlier
 * layers, and but the functions' own texts, which are hashed one by one.
 */
export function getSurroundingCode(code: string, functions: Array<(...args: never[]) => unknown>): string {
  const match = defaultExport.exec(code)
  let rest = code
  if (match !== null) {
    const body = code.slice(match.index + match[0].length)
    // The statement ends with its only line, or where a formatted file closes it: in the first
    // column. Where neither is found all that follows is kept: a rebuild too many, never one too few.
    const end = /^[^\n]*[;)\]}][ \t]*(?:\n|$)/.exec(body) ?? /^[)\]}].*$/m.exec(body)
    if (end !== null) rest = code.slice(0, match.index) + body.slice(end.index + end[0].length)
  }
  for (const text of functions.map(String)) rest = rest.replace(text, '')
  return rest
}
