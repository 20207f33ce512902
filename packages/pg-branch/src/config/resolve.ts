import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
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
    database: config.database ?? 'postgres',
    postgres: {
      version: postgres.version,
      provider: postgres.bin === undefined ? postgres.provider : 'system',
      bin: postgres.bin === undefined ? undefined : resolve(baseDir, postgres.bin),
      settings: Object.fromEntries(settings),
    },
    volume: {
      driver: volume.driver,
      path: volume.path === undefined ? undefined : resolve(baseDir, volume.path),
    },
    pool: { size: config.pool?.size ?? Math.min(8, Math.max(2, availableParallelism())) },
    keep: { max: keep.max ?? 10, forMs: keep.forMs ?? hourMs },
    cache: { maxBytes: cache.maxBytes ?? 10 * 1024 ** 3, maxAgeDays: cache.maxAgeDays ?? 14 },
    idleTimeoutMs: config.idleTimeoutMs ?? 30_000,
  })
}

function toSetting(value: string | number | boolean): string {
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value)
}
