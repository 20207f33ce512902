import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Workload {
  title: string
  /** SQL text that is run first, and is not what is compared. */
  before: string
  /** SQL text, or files, whose time is taken. */
  text: string
  files: string[]
}

const shared = fileURLToPath(new URL('../../../../shared/data/', import.meta.url))
const pagila = ['pagila-schema.sql', 'pagila-data.sql'].map((name) => `${shared}${name}`)

const createTable = 'CREATE TABLE t (id int, a text, b text, n double precision);'
const rowSource = `awk 'BEGIN { for (i = 1; i <= ROWS; i++) printf "%d\\t%s-%d\\t%s\\t%f\\n", i, "customer", i * 7919 % 100003, "a line of ordinary text, as long as such lines are", i / 3 }'`

/** @returns the workloads that this machine has the data for; the others are named on stderr. */
export function createWorkloads({ rows, commits }: { rows: number[]; commits: number }): Workload[] {
  const [least = 0] = rows
  const createCopy = (count: number) => `COPY t FROM PROGRAM $$${rowSource.replace('ROWS', String(count))}$$;`
  const list: Workload[] = [
    ...rows.map((count) => ({
      title: `COPY of ${count} rows`,
      before: createTable,
      text: createCopy(count),
      files: [],
    })),
    {
      title: `${commits} commits of one row`,
      before: `CREATE TABLE t (id int, a text);
CREATE PROCEDURE commit_often(count int) LANGUAGE plpgsql AS $$
BEGIN FOR n IN 1..count LOOP INSERT INTO t VALUES (n, 'a row'); COMMIT; END LOOP; END $$;`,
      text: `CALL commit_often(${commits});`,
      files: [],
    },
    {
      title: `4 indexes on ${least} rows`,
      before: `${createTable}\n${createCopy(least)}`,
      text: 'CREATE INDEX ON t (id); CREATE INDEX ON t (a); CREATE INDEX ON t (n, id); CREATE INDEX ON t (b, a);',
      files: [],
    },
  ]
  if (pagila.every((file) => existsSync(file))) list.unshift({ title: 'Pagila', before: '', text: '', files: pagila })
  else process.stderr.write(`SKIPPED: Pagila needs ${pagila.join(' and ')}\n`)
  return list
}
