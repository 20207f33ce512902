/**
 * @returns the text of a configuration file on which its function steps may depend: all but the
 * default export itself, whose other parts (a new step, a pool size) must not rebuild earlier
 * layers, and but the functions' own texts, which are hashed one by one.
 */
export function getSurroundingCode(code: string, functions: Array<(...args: never[]) => unknown>): string {
  const start = code.search(/^(export default|(module\.)?exports\.default\s*=|module\.exports\s*=)/m)
  let rest = code
  if (start !== -1) {
    // A formatted file closes the statement in the first column. Where none does, all that follows
    // is kept: a rebuild too many, never one too few.
    const end = /^[)\]}].*$/m.exec(code.slice(start))
    const isOneLine = /^.*[;)\]}]\s*$/.test(code.slice(start).split('\n', 1)[0] ?? '')
    if (isOneLine) rest = code.slice(0, start) + code.slice(start).split('\n').slice(1).join('\n')
    else if (end !== null) rest = code.slice(0, start) + code.slice(start + end.index + end[0].length)
  }
  for (const text of functions.map(String)) rest = rest.replace(text, '')
  return rest
}
