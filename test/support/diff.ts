/** What `branch diff --json` says. */
export interface Diff {
  schema: Array<{ object: string; change: string; lines: string[] }>
  tables: Array<{ table: string; added: number; changed: number; removed: number; samples: unknown[] }>
}

/** Five users, by a migration. */
export const usersFiles = {
  'migrations/1.sql': `CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
    INSERT INTO users (name) SELECT 'user ' || n FROM generate_series(1, 5) AS n;`,
}
