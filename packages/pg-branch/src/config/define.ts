import type { CommandStep, SqlStep, UserConfig } from './types.ts'

/** Gives types and completion to `pg-branch.config.ts`; returns its argument. */
export function defineConfig(config: UserConfig): UserConfig {
  return config
}

/**
 * A step that runs SQL files: plain SQL or the text of `pg_dump`, `COPY … FROM stdin` included.
 *
 * Several globs run in the order given, the files of one glob in natural order (`2.sql` before
 * `10.sql`). A glob that starts with `!` excludes. At least one file must match.
 */
export function sql(...globs: string[]): SqlStep {
  return { kind: 'sql', globs }
}

/**
 * A step that runs a shell command in the configuration's directory, with `DATABASE_URL` and `PG*`
 * pointing at the database being built and `node_modules/.bin` in PATH. It fails the build when it
 * exits with anything but 0.
 */
export function command(line: string, options: { inputs?: string[]; env?: Record<string, string> } = {}): CommandStep {
  return { kind: 'command', line, inputs: options.inputs ?? [], env: options.env ?? {} }
}
