import type { Client } from 'pg'
import type { PostgresVersion } from '../postgres/contract.ts'
import type { InitdbOptions, LocaleProvider } from '../postgres/initdb.ts'
import type { ProviderName } from '../postgres/registry.ts'
import type { DriverName } from '../volume/registry.ts'
import type { CacheOptions } from './cache-options.ts'
import type { PresetName } from './presets/registry.ts'

/** What a function step is called with. */
export interface StepContext {
  /** Connection URI of the database being built, as superuser. */
  url: string
  /** A connected `pg` client on that database; closed when the step ends. */
  client: Client
  /** Shows a line of progress. */
  log(message: string): void
}

export interface SqlStep {
  kind: 'sql'
  /** Globs in the order in which they run; the files of one glob run in natural order (2 before 10). */
  globs: string[]
  /** Whether each file is one transaction; default: each statement is one, as in psql. */
  transaction?: 'always' | 'unlessImpossible' | undefined
}

export interface DumpStep {
  kind: 'dump'
  /** A path relative to the configuration, or an http(s) URL. */
  source: string
  /** Processes that restore at the same time; custom and directory formats only. */
  jobs?: number | undefined
  /** Whether objects keep the owners and privileges of the dump, whose roles must then be there. */
  owners: boolean
}

export interface CommandStep {
  kind: 'command'
  line: string
  /** Globs of the files that determine what the command does; they are part of the template key. */
  inputs: string[]
  /**
   * Globs of migrations, each of which the command runs once, as it remembers in the database: one that is
   * added at the end then runs alone, on top of the last state. Part of the template key.
   */
  migrations: string[]
  /** Globs of files that change whenever a migration is added, such as Drizzle's journal. Part of the template key. */
  journal: string[]
  /** Extra variables for the command; part of the template key. */
  env: Record<string, string>
  /** Names of variables that the command reads; their values are part of the template key. */
  reads: string[]
}

/**
 * User code. Its text, the text of the configuration file around it, and all modules which that
 * file imports (outside node_modules) are part of the template key.
 */
export type FunctionStep = (context: StepContext) => unknown

export type RunnableStep = SqlStep | DumpStep | CommandStep | FunctionStep

/** The migrations, and seeds, of a tool: stands for the steps that would be recognised without a configuration. */
export interface PresetStep {
  kind: 'preset'
  name: PresetName
}

export type SeedStep = RunnableStep | PresetStep

export interface PostgresOptions {
  /** Major version. Default: the one of the provider found first. */
  version?: PostgresVersion | undefined
  /** Default: the first that can be used, in the order `embedded`, `system`. */
  provider?: ProviderName | undefined
  /** A directory with `postgres` and `initdb`; implies the provider `system`. */
  bin?: string | undefined
  /** How the cluster is made. Default: UTF8, sorted by code point, upper and lower case of all of Unicode. */
  initdb?:
    | {
        /** A locale of the operating system, or of ICU. */
        locale?: string | undefined
        /** Default `libc` with a `locale`; `builtin` wants PostgreSQL 17, `icu` a `locale` such as `de-AT`. */
        localeProvider?: LocaleProvider | undefined
        /** Default UTF8. */
        encoding?: string | undefined
      }
    | undefined
  /** Extensions that did not come with the server (PostgreSQL 18). */
  extensions?:
    | {
        /** Directories with `share/extension` and `lib`, or with `extension` and libraries directly. */
        paths?: string[] | undefined
      }
    | undefined
  /** Server settings of every branch, over our defaults (see `postgres/settings.ts`). */
  settings?: Record<string, string | number | boolean> | undefined
}

export interface VolumeOptions {
  /** Default: the fastest that the place allows. */
  driver?: DriverName | undefined
  /** An existing directory on the file system to use. Default: chosen, see `pg-branch volume status`. */
  path?: string | undefined
}

/** A server that another package starts, e.g. in a container. Plain data: it crosses processes. */
export interface ServerStart {
  kind: 'start'
  /** For people, e.g. `container postgis/postgis`. */
  label: string
  /** File URL of a module that is a `ServerModule`. */
  module: string
  options: Record<string, unknown>
}

/** What a branch offers to the code that maps it to environment variables. */
export interface BranchAddress {
  url: string
  host: string
  port: number
  user: string
  password: string
  database: string
  /** URLs of all databases of the branch, by name. */
  urls: Record<string, string>
}

export interface DatabaseOptions {
  /** What fills this database, after what fills those before it. */
  seed?: SeedStep | SeedStep[] | undefined
  /** Further variables that receive its URL. */
  env?: string[] | undefined
}

export interface UserConfig {
  /** What makes the template, in order. Default: recognised from the project's files. */
  seed?: SeedStep | SeedStep[] | undefined
  /**
   * Build templates without WAL on disk (it goes to /dev/null): faster where a seed writes much. Each
   * template is checked before it is used; branches are ordinary servers. Default: false.
   */
  fastIngest?: boolean | undefined
  /** Name of the database that the URL points at, made if it does not exist. Default: `postgres`. */
  database?: string | undefined
  /**
   * Several databases in each branch, by name, in the order in which they are made. `DATABASE_URL`
   * points at the first; each other one's URL is in `<NAME>_DATABASE_URL` and the names in its `env`.
   */
  databases?: Record<string, DatabaseOptions> | undefined
  /** The role that URLs log in as, which owns the databases, and as which the seed runs. Default: a superuser `postgres`. */
  user?: { name: string; superuser?: boolean | undefined } | undefined
  postgres?: PostgresOptions | undefined
  /**
   * Connection URI of a running server on which branches are databases, in place of servers of our own:
   * of a role that may create databases, and without a pooler in between; or a container, see
   * `@pg-branch/testcontainers`. In the configuration a variable holds a stand-in for its URL, so that
   * `process.env.ADMIN_URL` works and yet shows nothing. Undefined or empty: servers of our own, which is said.
   */
  server?: string | ServerStart | undefined
  volume?: VolumeOptions | undefined
  pool?:
    | {
        /** Branches kept ready. Default: the number of CPUs, 2 to 8. */
        size?: number | undefined
        /** With `server`: connections that one leased branch may use. Default 10, as many as a pool of `pg`. */
        connectionsPerBranch?: number | undefined
        /** With `server`: how long a lease waits for connections to become free. Default 60,000. */
        waitMs?: number | undefined
      }
    | undefined
  gateway?:
    | {
        /**
         * With a branch for each test, and for named branches: connections at one address that have not logged in yet.
         * Beyond it the oldest are refused. Default 64.
         */
        maxPendingLogins?: number | undefined
      }
    | undefined
  /**
   * Further variables that receive the URL, or a function from branch to variables, which only puts
   * the branch's parts into text. `DATABASE_URL`, `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD` and
   * `PGDATABASE` are always set, unless the function sets them otherwise.
   */
  env?: string[] | ((branch: BranchAddress) => Record<string, string>) | undefined
  /**
   * SQL that every branch runs when it is made, ahead of need, in the database that the URL points at: for
   * what must be younger than the template, such as `UPDATE events SET at = now()`. Keep it small.
   */
  onFork?: string | undefined
  /** Branches of failed tests. */
  keep?:
    | {
        /** How many, newest first. Default 10; 0 keeps none. */
        max?: number | undefined
        /** How long. Default 3,600,000 (one hour). */
        forMs?: number | undefined
      }
    | undefined
  cache?: CacheOptions | undefined
  /** How long the background process stays without work. Default 30,000. */
  idleTimeoutMs?: number | undefined
}

/** A configuration with every default filled in; plain data, since it crosses processes. */
export interface ResolvedConfig {
  /** Directory to which all relative paths refer. */
  baseDir: string
  /** Undefined when nothing was written and everything was recognised. */
  configFile?: string | undefined
  /** Databases of a branch; the first is the one that `DATABASE_URL` names. */
  databases: string[]
  user: { name: string; superuser: boolean }
  fastIngest: boolean
  postgres: {
    initdb: InitdbOptions
    extensionPaths: string[]
    version?: PostgresVersion | undefined
    provider?: ProviderName | undefined
    bin?: string | undefined
    settings: Record<string, string>
  }
  /** The server's URI, or the variable of the test process that holds it. */
  server?: { url: string } | { variable: string } | ServerStart | undefined
  volume: { driver?: DriverName | undefined; path?: string | undefined }
  pool: { size: number; connectionsPerBranch: number; waitMs: number }
  gateway: { maxPendingLogins: number }
  keep: { max: number; forMs: number }
  cache: {
    maxBytes: number
    maxAgeDays: number
    rebuildEveryMs?: number | undefined
    store?: string | undefined
    push: boolean
    trustedKeys?: Record<string, string> | undefined
    waitMs: number
  }
  onFork?: string | undefined
  idleTimeoutMs: number
}
