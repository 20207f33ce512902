/**
 * Two letters and a colon begin no path that anybody means: a directory of that name would be made in silence.
 *
 * @returns no scheme for a path; no rest where `//` does not follow the scheme.
 */
export function splitScheme(text: string): { scheme?: string | undefined; rest?: string | undefined } {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]+):(?:\/\/(.*))?/is.exec(text) ?? []
  return { scheme: scheme?.toLowerCase(), rest }
}
