import { isAbsolute } from 'node:path'
import * as v from 'valibot'
import type { SupervisorFunctions } from './protocol.ts'

const text = v.pipe(
  v.string(),
  v.check((value) => !value.includes('\0'), 'must not contain a zero byte'),
)
const name = v.pipe(text, v.nonEmpty('must not be empty'), v.maxLength(1_000, 'must have at most 1,000 characters'))
const rootDir = v.pipe(text, v.check(isAbsolute, 'must be an absolute path'))
const count = v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(0, 'must be 0 or more'))
const flag = v.boolean()
const lease = { leaseId: name }

const projectRef = { rootDir, config: v.optional(text) }
const branchRef = { ...projectRef, name }
const project = {
  rootDir,
  /** Validated with the environment's own schema, whose messages name its options. */
  options: v.unknown(),
  env: v.record(v.string(), v.optional(v.string())),
  withheld: v.record(v.string(), v.string()),
  runId: name,
}
const store = v.optional(text)

type Schemas = {
  [Name in keyof SupervisorFunctions]: v.GenericSchema<unknown, Parameters<SupervisorFunctions[Name]>>
}

const one = <Entries extends v.ObjectEntries>(entries: Entries) => v.tuple([v.object(entries)])
const none: v.GenericSchema<unknown, []> = v.strictTuple([])

/** What the arguments of each method must be: whoever can reach the socket may say anything. */
export const requestSchemas: Schemas = {
  hello: one({ version: name }),
  lease: one({ ...project, scope: v.picklist(['file', 'worker', 'test']), holder: text }),
  release: one({ ...lease, failed: v.optional(text) }),
  reset: one({ ...lease, next: v.optional(text), failed: v.optional(text), to: v.optional(text) }),
  snapshot: one({ ...lease, name: text, next: v.optional(text) }),
  dropSnapshot: one({ ...lease, name: text, next: v.optional(text) }),
  fork: one({ ...lease, holder: text, from: v.optional(text) }),
  diff: one(lease),
  getActivity: one(lease),
  build: one({ ...project, dryRun: flag }),
  status: none,
  takeRun: one({ runId: name }),
  stay: one({ untilMs: v.pipe(v.number(), v.finite()) }),
  shutdown: none,
  createBranch: one({
    ...project,
    name: text,
    ttlMs: v.nullish(count),
    labels: v.record(v.string(), v.string()),
    from: v.optional(text),
  }),
  listBranches: one({ project: v.optional(v.object(projectRef)) }),
  getBranch: one(branchRef),
  snapshotBranch: one({ ...branchRef, snapshot: text }),
  restoreBranch: one({ ...branchRef, snapshot: v.optional(text) }),
  diffStates: one({ ...project, before: text, after: text, samples: count }),
  removeBranch: one(branchRef),
  listTemplates: one(project),
  removeTemplate: one({ ...project, key: text }),
  pushTemplate: one({ ...project, store, force: flag }),
  pullTemplate: one({ ...project, store }),
  collectGarbage: one({ ...project, dryRun: flag }),
}
