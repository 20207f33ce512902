/** Changes JSON, and keeps its indentation. @returns undefined if `change` says that it cannot be done. */
export function editJson(text: string, change: (value: Record<string, unknown>) => boolean): string | undefined {
  const value = JSON.parse(text) as Record<string, unknown>
  if (!change(value)) return undefined
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? '  '
  return `${JSON.stringify(value, undefined, indent)}\n`
}
