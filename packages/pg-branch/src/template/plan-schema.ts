import * as v from 'valibot'
import type { ResolvedConfig } from '../config/types.ts'
import { postgresVersions } from '../postgres/contract.ts'
import { localeProviders } from '../postgres/initdb.ts'
import { providerNames } from '../postgres/registry.ts'
import { driverNames } from '../volume/registry.ts'
import type { Plan } from './plan.ts'
import type { BuildRecord } from './why.ts'

const text = v.string()
const texts = v.array(text)
const maybeText = v.optional(text)
const textByName = v.record(text, text)

const step = v.object({
  kind: v.picklist(['sql', 'dump', 'command', 'function']),
  label: text,
  database: text,
  fingerprint: text,
  inputs: textByName,
  additions: texts,
  journal: texts,
})

const config: v.GenericSchema<unknown, ResolvedConfig> = v.object({
  baseDir: text,
  configFile: maybeText,
  databases: v.pipe(texts, v.minLength(1)),
  user: v.object({ name: text, superuser: v.boolean() }),
  fastIngest: v.boolean(),
  postgres: v.object({
    initdb: v.object({
      locale: maybeText,
      localeProvider: v.optional(v.picklist(localeProviders)),
      encoding: text,
    }),
    extensionPaths: texts,
    version: v.optional(v.picklist(postgresVersions)),
    provider: v.optional(v.picklist(providerNames)),
    bin: maybeText,
    settings: textByName,
  }),
  server: v.optional(
    v.union([
      v.object({ url: text }),
      v.object({ variable: text }),
      v.object({ kind: v.literal('start'), label: text, module: text, options: v.record(text, v.unknown()) }),
    ]),
  ),
  volume: v.object({
    driver: v.optional(v.picklist(driverNames)),
    path: maybeText,
  }),
  pool: v.object({ size: v.number(), connectionsPerBranch: v.number(), waitMs: v.number() }),
  gateway: v.object({ maxPendingLogins: v.number() }),
  keep: v.object({ max: v.number(), forMs: v.number() }),
  cache: v.object({
    maxBytes: v.number(),
    maxAgeDays: v.number(),
    rebuildEveryMs: v.optional(v.number()),
    store: maybeText,
    push: v.boolean(),
    trustedKeys: v.optional(textByName),
    waitMs: v.number(),
  }),
  onFork: maybeText,
  idleTimeoutMs: v.number(),
})

/** A plan as it is kept on disk, where anybody who can write may have changed it. */
export const planSchema: v.GenericSchema<unknown, Plan> = v.object({
  config,
  steps: v.array(step),
  signatures: textByName,
  envReads: v.record(text, v.nullable(text)),
  variables: textByName,
  period: v.optional(v.number()),
  notices: texts,
})

const keys = v.object({ base: text, layers: texts, sealed: texts })

export const buildRecordSchema: v.GenericSchema<unknown, BuildRecord> = v.object({
  sealedKey: text,
  baseKey: text,
  rootKey: text,
  steps: v.array(step),
  keys: v.optional(keys),
  period: v.optional(v.number()),
})
