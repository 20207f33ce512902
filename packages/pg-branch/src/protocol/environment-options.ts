import * as v from 'valibot'
import { describeExactly } from '../lib/exact-schema.ts'

/** Options of one test environment, as a runner's configuration or a comment in a test file gives them. */
export interface EnvironmentOptions {
  /**
   * Who shares a branch. `file`: every test file has its own. `worker`: files that run one after the
   * other in one place share one, with whatever the earlier ones left in it. `test`: every test begins
   * on a fresh branch with what `beforeAll` made, at an address that stays, so that pools stay open.
   * Default: `file`; `worker` where modules (and the pools in them) are shared too, as with Vitest's `isolate: false`.
   */
  scope?: 'file' | 'worker' | 'test' | undefined
  /** With `scope: 'test'`: the report of a failed test says how many rows of each table it changed. Default false. */
  diffOnFailure?: boolean | undefined
  /**
   * With `scope: 'test'`: what to do about a test that leaves a transaction or a statement open. `warn`
   * (default): its connection is closed, and a line says so. `fail`: it fails. `ignore`: no line.
   */
  leftOver?: 'warn' | 'fail' | 'ignore' | undefined
  /** The environment that this one extends. Default `node`. */
  base?: 'node' | 'jsdom' | 'happy-dom' | undefined
  /** Path of the pg-branch configuration, relative to the root of the tests. Default: the nearest one upwards. */
  config?: string | undefined
}

export const environmentOptionsSchema: v.GenericSchema<unknown, EnvironmentOptions> =
  describeExactly<EnvironmentOptions>()(
    v.strictObject({
      scope: v.optional(v.picklist(['file', 'worker', 'test'])),
      diffOnFailure: v.optional(v.boolean()),
      leftOver: v.optional(v.picklist(['warn', 'fail', 'ignore'])),
      base: v.optional(v.picklist(['node', 'jsdom', 'happy-dom'])),
      config: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
    }),
  )
