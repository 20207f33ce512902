import { takeTurn, type Turn } from '../../artefact/claim.ts'
import { pullTemplate, type Pulled } from '../../artefact/pull.ts'
import { pushTemplate, type Moved } from '../../artefact/push.ts'
import { openStore } from '../../artefact/registry.ts'
import { createSigning } from '../../artefact/signature.ts'
import { PgBranchError, describeError } from '../../lib/errors.ts'
import { formatDuration } from '../../lib/format.ts'
import { createLog } from '../../lib/log.ts'
import type { StatePaths } from '../../lib/paths.ts'
import { explainDiskFull } from '../../lib/system-errors.ts'
import type { BuildProgress } from '../../template/build.ts'
import type { Plan } from '../../template/plan.ts'
import type { Template } from '../../template/store.ts'
import type { LocatedCluster } from './locate.ts'

const log = createLog('artefact')

/** Where a template came from, if not from here. */
export interface Obtained<T> {
  /** What building gave; undefined: it was fetched. */
  built: T | undefined
  template: Template
  /** The store, unless it was built here. */
  fetchedFrom: string | undefined
  /** For the user, once. */
  notices: string[]
}

export interface ExchangeContext {
  plan: Plan
  env: Record<string, string | undefined>
  paths: StatePaths
  cluster: Pick<LocatedCluster, 'store' | 'volume' | 'binaries'>
  onProgress(progress: BuildProgress): void
}

/** Templates that machines share, for one project. */
export interface Exchange {
  /** Name of the store, for people. */
  label: string
  pull(key: string): Promise<Pulled | undefined>
  /** @param options.force writes also what is there already: it may be damaged. */
  push(template: Template, options?: { force: boolean }): Promise<Moved>
  /** As `pull`, where a failure does not matter: the template is then made here. */
  find(key: string): Promise<Template | undefined>
  /** One of all who want the same template builds it, and puts it there; the others wait, and fetch it. */
  obtain<T extends { template: Template }>(key: string, build: () => Promise<T>): Promise<Obtained<T>>
}

const progressIntervalMs = 100

/** As `openExchange`, where whoever asks goes on without one. @returns what to say then. */
export function tryOpenExchange(
  name: string | undefined,
  context: ExchangeContext,
): { exchange?: Exchange; notices: string[] } {
  if (name === undefined) return { notices: [] }
  try {
    return { exchange: openExchange(name, context), notices: [] }
  } catch (error) {
    if (!(error instanceof PgBranchError) || error.code !== 'PGB_STORE') throw error
    return { notices: [describeUnshared(error)] }
  }
}

const describeUnshared = (error: unknown) => `templates are not shared in this run: ${describeError(error)}`

/** @param name of the store. @throws PgBranchError `PGB_ARGUMENT`, `PGB_STORE`. */
export function openExchange(name: string, context: ExchangeContext): Exchange {
  const { plan, env, paths, cluster, onProgress } = context
  const { baseDir, cache } = plan.config
  const store = openStore(name, { baseDir, env })
  const signing = createSigning({ privateKey: env.PG_BRANCH_SIGNING_KEY, trustedKeys: cache.trustedKeys })
  const startedAt = performance.now()
  const report = (phase: string) => {
    let toldAt = Number.NEGATIVE_INFINITY
    return (progress: { bytes?: number; totalBytes?: number }) => {
      const elapsedMs = performance.now() - startedAt
      // There may be thousands of chunks.
      if (elapsedMs - toldAt < progressIntervalMs && progress.bytes !== progress.totalBytes) return
      toldAt = elapsedMs
      onProgress({ phase, elapsedMs, ...progress })
    }
  }
  const pull: Exchange['pull'] = (key) =>
    pullTemplate(key, {
      store,
      signing,
      local: cluster.store,
      volume: cluster.volume,
      binaries: cluster.binaries,
      chunksDir: paths.chunksDir,
      onProgress: report(`fetching the template from ${store.label}`),
    })
  const push: Exchange['push'] = (template, { force } = { force: false }) =>
    pushTemplate({ template, store, signing, force, onProgress: report(`putting the template into ${store.label}`) })

  // Who does not answer is not asked for every layer.
  let isDown = false
  const attempt = async (key: string) => {
    const result = await attemptPull(() => pull(key))
    if (result.error instanceof PgBranchError && result.error.code === 'PGB_STORE') isDown = true
    return result
  }

  return {
    label: store.label,
    pull,
    push,
    async find(key) {
      if (isDown) return undefined
      const { template } = await attempt(key)
      return template
    },
    async obtain(key, build) {
      const notices: string[] = []
      const fetch = async () => {
        const { template, error } = await attempt(key)
        if (template !== undefined) {
          notices.push(
            `template ${key.slice(0, 8)} fetched from ${store.label} in ${formatDuration(performance.now() - startedAt)}`,
          )
        }
        return { template, error }
      }
      let { template, error } = await fetch()
      let turn: Turn | undefined
      // Who cannot write there has no turn, and waits for nobody: it would be in vain if nobody else builds.
      if (template === undefined && error === undefined && cache.push) {
        const onWait = report(`another machine builds this template for ${store.label}: waiting`)
        try {
          turn = await takeTurn({ store, key, waitMs: cache.waitMs, onWait: () => onWait({}) })
          if (turn.outcome === 'there') ({ template, error } = await fetch())
        } catch (failure) {
          error = failure
        }
      }
      if (template !== undefined) return { built: undefined, template, fetchedFrom: store.label, notices }
      if (error !== undefined) notices.push(describeUnshared(error))
      try {
        const built = await build()
        const isDamaged = error instanceof PgBranchError && error.code === 'PGB_ARTEFACT'
        if (cache.push && (error === undefined || isDamaged)) {
          await push(built.template, { force: isDamaged }).catch((failure: unknown) =>
            notices.push(`the template could not be put into ${store.label}: ${describeError(failure)}`),
          )
        }
        return { built, template: built.template, fetchedFrom: undefined, notices }
      } finally {
        if (turn?.outcome === 'ours') await turn.release()
      }
    },
  }
}

/** What is the matter with a store is no reason not to test; a full disk is. */
async function attemptPull(
  pull: () => Promise<Pulled | undefined>,
): Promise<{ template: Template | undefined; error: unknown }> {
  try {
    return { template: (await pull())?.template, error: undefined }
  } catch (error) {
    const full = explainDiskFull(error)
    if (full !== undefined) throw full
    log('not fetched: %O', error)
    return { template: undefined, error }
  }
}
