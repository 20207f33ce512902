/** The title of a column, and what it shows of a row. */
export type Column<Row> = [title: string, show: (row: Row) => string]

/** @returns a table in Markdown; nothing where there are no rows. */
export function renderTable<Row>(columns: Array<Column<Row>>, rows: Row[]): string {
  if (rows.length === 0) return ''
  const lines = [
    columns.map(([title]) => title),
    columns.map(() => '---'),
    ...rows.map((row) => columns.map(([, show]) => show(row))),
  ]
  return `${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n\n`
}
