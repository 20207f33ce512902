import type { PresetName } from './presets/registry.ts'
import type { CommandStep, DumpStep, PresetStep, SqlStep, UserConfig } from './types.ts'

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
 * The steps that run a tool's migrations, and its seeds where it has them, as pg-branch would without a
 * configuration: `seed: [preset('drizzle'), sql('db/fixtures.sql')]`.
 */
export function preset(name: PresetName): PresetStep {
  return { kind: 'preset', name }
}

/**
 * A step that restores a dump: SQL text of `pg_dump` or `pg_dumpall`, as it is or compressed by gzip or
 * zstd, or an archive of `pg_dump` (custom, directory or tar format), from a path or an http(s) URL.
 *
 * Archives are restored by `pg_restore`, which must be on this machine, with `jobs` processes at the same
 * time (custom and directory format; default: the CPUs, up to 4). Unless `owners` is set, objects belong
 * to the role that restores: owners and privileges are left out.
 */
export function dump(source: string, options: { jobs?: number; owners?: boolean } = {}): DumpStep {
  // What is not known comes along, and is refused by name.
  return { kind: 'dump', source, ...options, owners: options.owners ?? false }
}

/**
 * A step that runs a shell command in the configuration's directory, with `DATABASE_URL` and `PG*`
 * pointing at the database being built and `node_modules/.bin` in PATH. It fails the build when it
 * exits with anything but 0.
 *
 * Globs relative to the configuration: `inputs` are the files that determine what it does; `migrations`
 * those which it runs once each, so that one added at the end runs alone on top of the last state;
 * `journal` those that change whenever a migration is added. `reads` are the names of variables of the process
 * that determine what it does, such as `APP_REGION`; NODE_ENV, which is `test` in a build unless it is set, always is
 * one.
 */
export function command(
  line: string,
  options: {
    inputs?: string[]
    migrations?: string[]
    journal?: string[]
    env?: Record<string, string>
    reads?: string[]
  } = {},
): CommandStep {
  const { inputs = [], migrations = [], journal = [], env = {}, reads = [], ...unknown } = options
  return { kind: 'command', line, inputs, migrations, journal, env, reads, ...unknown }
}
