/** Writes a command's result: this, and nothing else of the project, goes to stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** What a user should know besides: not part of the result. */
export function printNotices(notices: string[]): void {
  for (const notice of notices) process.stderr.write(`pg-branch: ${notice}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2))
}

/** Writes rows with their columns below each other; columns that are empty but for the title are left out. */
export function printTable(rows: string[][]): void {
  const titles = rows[0] ?? []
  const shown = titles.map((_, column) => rows.slice(1).some((row) => (row[column] ?? '') !== ''))
  const kept = rows.map((row) => row.filter((_, column) => shown[column]))
  const widths = (kept[0] ?? []).map((_, column) => Math.max(...kept.map((row) => (row[column] ?? '').length)))
  for (const row of kept)
    print(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}
