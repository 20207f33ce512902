import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { PgBranchError } from '../lib/errors.ts'
import { readSentinelVariable } from '../lib/sentinel-url.ts'
import { superuser } from '../lib/superuser.ts'
import type { ResolvedConfig, UserConfig } from './types.ts'

const hourMs = 3_600_000

/** Fills in every default. Relative paths are resolved against `baseDir`. */
export function resolveConfig(
  config: UserConfig,
  { baseDir, configFile }: { baseDir: string; configFile: string | undefined },
): ResolvedConfig {
  const { postgres = {}, volume = {}, keep = {}, cache = {} } = config
  const settings = Object.entries(postgres.settings ?? {}).map(([name, value]) => [name, toSetting(value)] as const)
  return Object.freeze({
    baseDir,
    configFile,
    databases: resolveDatabases(config, configFile),
    user: resolveUser(config, configFile),
    fastIngest: config.fastIngest ?? false,
    postgres: {
      version: postgres.version,
      provider: postgres.bin === undefined ? postgres.provider : 'system',
      bin: postgres.bin === undefined ? undefined : resolve(baseDir, postgres.bin),
      settings: Object.fromEntries(settings),
      initdb: {
        locale: postgres.initdb?.locale,
        localeProvider: postgres.initdb?.localeProvider,
        encoding: postgres.initdb?.encoding ?? 'UTF8',
      },
      extensionPaths: (postgres.extensions?.paths ?? []).map((path) => resolve(baseDir, path)),
    },
    volume: {
      driver: volume.driver,
      path: volume.path === undefined ? undefined : resolve(baseDir, volume.path),
    },
    server: resolveServer(config, configFile),
    pool: {
      size: config.pool?.size ?? Math.min(8, Math.max(2, availableParallelism())),
      connectionsPerBranch: config.pool?.connectionsPerBranch ?? 10,
      waitMs: config.pool?.waitMs ?? 60_000,
    },
    gateway: { maxPendingLogins: config.gateway?.maxPendingLogins ?? 64 },
    keep: { max: keep.max ?? 10, forMs: keep.forMs ?? hourMs },
    cache: {
      maxBytes: cache.maxBytes ?? 10 * 1024 ** 3,
      maxAgeDays: cache.maxAgeDays ?? 14,
      rebuildEveryMs: cache.rebuildEveryMs,
      store: cache.store === '' ? undefined : cache.store,
      push: cache.push ?? true,
      trustedKeys: cache.trustedKeys,
      waitMs: cache.waitMs ?? 300_000,
    },
    onFork: config.onFork,
    idleTimeoutMs: config.idleTimeoutMs ?? 30_000,
  })
}

function resolveDatabases(config: UserConfig, configFile: string | undefined): string[] {
  if (config.databases === undefined) return [config.database ?? 'postgres']
  const other = (['database', 'seed'] as const).find((name) => config[name] !== undefined)
  if (other === undefined) return Object.keys(config.databases)
  throw new PgBranchError(`${configFile ?? 'the configuration'} has both \`databases\` and \`${other}\``, {
    code: 'PGB_CONFIG_INVALID',
    hint: 'Each entry of `databases` has a name and a `seed` of its own.',
  })
}

function resolveUser({ user }: UserConfig, configFile: string | undefined): ResolvedConfig['user'] {
  if (user === undefined) return { name: superuser, superuser: true }
  if (user.name !== superuser || user.superuser !== false)
    return { name: user.name, superuser: user.superuser ?? false }
  throw new PgBranchError(`${configFile ?? 'the configuration'} wants \`user\` ${superuser} not to be a superuser`, {
    code: 'PGB_CONFIG_INVALID',
    hint: `Every cluster has the superuser ${superuser}; choose another name, for example app.`,
  })
}

/** @throws PgBranchError `PGB_CONFIG_INVALID` for options that have no meaning on a server of the user's. */
function resolveServer(config: UserConfig, configFile: string | undefined): ResolvedConfig['server'] {
  const { server } = config
  if (server === undefined || server === '') return undefined
  const other = (['postgres', 'volume', 'database', 'databases', 'user', 'fastIngest'] as const).find(
    (name) => config[name] !== undefined && config[name] !== false,
  )
  if (other !== undefined) {
    throw new PgBranchError(`${configFile ?? 'the configuration'} has both \`server\` and \`${other}\``, {
      code: 'PGB_CONFIG_INVALID',
      hint: {
        postgres: 'Which Postgres, and with which settings, is decided by whoever runs the server.',
        volume:
          'Data is where the server has it. For copy-on-write branches there, put its data directory on btrfs or xfs (PostgreSQL 18).',
        fastIngest: 'It leads the WAL of the whole server to /dev/null, and this server is not ours.',
        databases: 'On a server a branch is one database.',
        user: 'Branches are used as the role that `server` names.',
        database: 'On a server every branch is a database with a name of its own, and the URL names it.',
      }[other],
    })
  }
  if (config.cache?.store !== undefined && config.cache.store !== '') {
    throw new PgBranchError(`${configFile ?? 'the configuration'} has both \`server\` and \`cache.store\``, {
      code: 'PGB_CONFIG_INVALID',
      hint: 'Templates on a server are there for all who use it: leave `cache.store` out.',
    })
  }
  if (typeof server !== 'string') return server
  const variable = readSentinelVariable(server)
  return variable === undefined ? { url: server } : { variable }
}

function toSetting(value: string | number | boolean): string {
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value)
}
