import * as v from 'valibot'
import { describeExactly } from '../lib/exact-schema.ts'
import { postgresVersions } from '../postgres/contract.ts'
import { localeProviders } from '../postgres/initdb.ts'
import { providerNames } from '../postgres/registry.ts'
import { driverNames } from '../volume/registry.ts'
import { presetNames } from './presets/registry.ts'
import type { FunctionStep, UserConfig } from './types.ts'

const count = v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(0, 'must be 0 or more'))
const name = v.pipe(
  v.string(),
  v.regex(/^[^\0]+$/, 'must not be empty'),
  v.check((value) => Buffer.byteLength(value) <= 63, 'must be at most 63 bytes, the limit of Postgres'),
)
const globs = v.array(v.pipe(v.string(), v.nonEmpty('must not be empty')))

const variableName = v.pipe(v.string(), v.regex(/^[A-Za-z_]\w*$/, 'is not a variable name'))

const step = v.union(
  [
    v.variant('kind', [
      v.strictObject({
        kind: v.literal('sql'),
        globs: v.pipe(globs, v.minLength(1, 'names no file')),
        transaction: v.optional(v.picklist(['always', 'unlessImpossible'])),
      }),
      v.strictObject({ kind: v.literal('preset'), name: v.picklist(presetNames) }),
      v.strictObject({
        kind: v.literal('dump'),
        source: v.pipe(v.string(), v.nonEmpty('must not be empty')),
        jobs: v.optional(v.pipe(count, v.minValue(1, 'must be 1 or more'))),
        owners: v.optional(v.boolean(), false),
      }),
      v.strictObject({
        kind: v.literal('command'),
        line: v.pipe(v.string(), v.nonEmpty('must not be empty')),
        inputs: globs,
        migrations: v.optional(globs, []),
        journal: v.optional(globs, []),
        env: v.record(v.string(), v.string()),
        reads: v.optional(v.array(variableName), []),
      }),
    ]),
    v.custom<FunctionStep>((value) => typeof value === 'function'),
  ],
  'must be sql(…), dump(…), preset(…), command(…) or a function',
)

const seed = v.union(
  [v.array(step), step],
  'must be sql(…), dump(…), preset(…), command(…), a function, or a list of these',
)

type MapVariables = Exclude<UserConfig['env'], unknown[] | undefined>

/** What a user may write; meaning and defaults stand beside the members of `UserConfig`. */
export const configSchema: v.GenericSchema<unknown, UserConfig> = describeExactly<UserConfig>()(
  v.strictObject({
    seed: v.optional(seed),
    fastIngest: v.optional(v.boolean()),
    database: v.optional(name),
    databases: v.optional(
      v.pipe(
        v.record(
          name,
          v.strictObject({
            seed: v.optional(seed),
            env: v.optional(v.array(variableName)),
          }),
        ),
        v.check((value) => Object.keys(value).length > 0, 'must name at least one database'),
      ),
    ),
    user: v.optional(v.strictObject({ name, superuser: v.optional(v.boolean()) })),
    postgres: v.optional(
      v.strictObject({
        version: v.optional(v.picklist(postgresVersions)),
        provider: v.optional(v.picklist(providerNames)),
        bin: v.optional(v.string()),
        initdb: v.optional(
          v.strictObject({
            locale: v.optional(v.string()),
            localeProvider: v.optional(v.picklist(localeProviders)),
            encoding: v.optional(v.string()),
          }),
        ),
        extensions: v.optional(v.strictObject({ paths: v.optional(v.array(v.string())) })),
        settings: v.optional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()]))),
      }),
    ),
    server: v.optional(
      v.union(
        [
          v.string(),
          v.strictObject({
            kind: v.literal('start'),
            label: v.string(),
            module: v.string(),
            options: v.record(v.string(), v.unknown()),
          }),
        ],
        'must be a connection URI or container(…)',
      ),
    ),
    volume: v.optional(
      v.strictObject({
        driver: v.optional(v.picklist(driverNames)),
        path: v.optional(v.string()),
      }),
    ),
    pool: v.optional(
      v.strictObject({
        size: v.optional(v.pipe(count, v.maxValue(64, 'must be at most 64'))),
        connectionsPerBranch: v.optional(v.pipe(count, v.minValue(1, 'must be 1 or more'))),
        waitMs: v.optional(count),
      }),
    ),
    gateway: v.optional(
      v.strictObject({
        maxPendingLogins: v.optional(v.pipe(count, v.minValue(1, 'must be 1 or more'))),
      }),
    ),
    env: v.optional(
      v.union(
        [v.array(variableName), v.custom<MapVariables>((value) => typeof value === 'function')],
        'must be a list of variable names or a function from branch to variables',
      ),
    ),

    onFork: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
    keep: v.optional(v.strictObject({ max: v.optional(count), forMs: v.optional(count) })),
    cache: v.optional(
      v.strictObject({
        maxBytes: v.optional(count),
        maxAgeDays: v.optional(count),
        rebuildEveryMs: v.optional(v.pipe(count, v.minValue(1_000, 'must be 1000 or more'))),
        store: v.optional(v.string()),
        push: v.optional(v.boolean()),
        trustedKeys: v.optional(v.record(v.string(), v.pipe(v.string(), v.nonEmpty('must not be empty')))),
        waitMs: v.optional(count),
      }),
    ),
    idleTimeoutMs: v.optional(count),
  }),
)
