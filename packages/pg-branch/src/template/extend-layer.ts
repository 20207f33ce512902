import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { refuseLinks, startFastIngest, type FastIngest, type IngestResult } from '../ingest/fast-ingest.ts'
import { createIngestSettings } from '../ingest/settings.ts'
import { countRows, verifyCluster, type RowCounts } from '../ingest/verify.ts'
import { loopbackHost, type DatabaseAddress } from '../lib/connection-uri.ts'
import { PgBranchError } from '../lib/errors.ts'
import { createRandomHex } from '../lib/hash.ts'
import { createLog } from '../lib/log.ts'
import { superuser } from '../lib/superuser.ts'
import { UndoStack } from '../lib/undo-stack.ts'
import { connectOwn } from '../postgres/client.ts'
import { readLogEnd, startCluster, type Cluster } from '../postgres/cluster.ts'
import { writeSettings } from '../postgres/initdb.ts'
import { readServerErrors } from '../postgres/server-log.ts'
import { buildSettings, createBranchSettings } from '../postgres/settings.ts'
import type { StepTarget } from '../seed/contract.ts'
import { findStepHint } from '../seed/step-hint.ts'
import { finishDir, makeBuildDir } from './build-dir.ts'
import type { LayerRequest } from './build.ts'
import type { ClusterBuildContext } from './cluster-build.ts'
import { dataName } from './manifest.ts'
import { usesFastIngest } from './plan.ts'
import { prepareDatabases, removePasswords, setPasswords } from './prepare-databases.ts'
import { freezeTables, listDatabases, refuseTablespaces, sealDatabases } from './seal.ts'
import type { Template } from './store.ts'

const log = createLog('build')

const serverEndMs = 200

type ExtendOptions = ClusterBuildContext & LayerRequest<Template>

/**
 * Clones a layer, runs one step (or none) on it, and publishes the result.
 *
 * @throws PgBranchError `PGB_STEP_FAILED`, also if the server ends by itself; `PGB_INGEST`.
 */
export async function extendLayer(context: ClusterBuildContext, request: LayerRequest<Template>): Promise<Template> {
  const options = { ...context, ...request }
  const { plan, binaries, volume, store, from, key, isLast, report } = options
  const startedAt = performance.now()
  report({})
  await using undo = new UndoStack()
  const dir = await makeBuildDir(volume, undo)
  const dataDir = join(dir, dataName)
  await volume.driver.clone({ from: from.dataDir, to: dataDir })
  const isFast = usesFastIngest(plan.config)
  const settings = createBranchSettings(binaries.version, plan.config.postgres)
  await writeSettings(dataDir, settings)
  const cluster = await startCluster({
    binaries,
    dataDir,
    logFile: options.logFile,
    settings: { ...buildSettings, ...(isFast ? createIngestSettings(binaries.version) : {}) },
  })
  undo.push(() => cluster.stop('discard'))
  const state = await endWithServer(fillCluster({ ...options, cluster, dataDir, isFast }), { ...options, cluster })
  await cluster.stop('clean')
  if (isFast) refuseLinks(dataDir)
  const { database, expected, ingest } = state
  const isUnchecked = from.isUnchecked || ingest?.isLossy === true
  if (isLast && isUnchecked) await verifyRestarted({ ...options, dataDir, expected })
  await finishDir({
    dir,
    key,
    sealed: isLast,
    description: options.description,
    database,
    user: plan.config.user.name,
    buildMs: performance.now() - startedAt,
    ingest,
    isUnchecked: isUnchecked && !isLast,
    binaries,
  })
  return await store.publish(dir, { key, undo })
}

interface Filled {
  /** In which the step ended. */
  database: string
  /** What a check after the restart must find. */
  expected: RowCounts | undefined
  ingest: IngestResult | undefined
}

/** Runs the step and all that belongs to it on the running cluster, up to its last checkpoint. */
async function fillCluster(
  options: ExtendOptions & { cluster: Cluster; dataDir: string; isFast: boolean },
): Promise<Filled> {
  const { plan, keys, builder, cluster, dataDir, from, stepIndex, isLast } = options
  await using undo = new UndoStack()
  const own = getOwnAddress(cluster)
  // Held open over the step, which may change what this very role may do.
  const admin = await connectOwn(own)
  undo.push(() => admin.end())
  const ingest = options.isFast ? await startFastIngest({ admin, dataDir, memoryDir: options.walDir }) : undefined
  undo.push(async () => ingest?.abort())
  const { user, databases } = plan.config
  const isFirst = from.key === keys.base
  if (isFirst) await prepareDatabases(admin, plan.config)
  // For the time of this step alone: what is sealed has none.
  const password = createRandomHex(16)
  await setPasswords(admin, { user, password })
  const target: StepTarget = {
    host: loopbackHost,
    port: cluster.port,
    user: user.name,
    password,
    database: isFirst ? (databases[0] ?? 'postgres') : from.database,
    shared: false,
  }
  builder.onProgress(options.report)
  if (stepIndex !== undefined) {
    const named = plan.steps[stepIndex]?.database ?? ''
    const database = named === '' ? target.database : named
    const logBytes = statSync(options.logFile).size
    const left = await builder.call
      .runStep(stepIndex, { ...target, database }, options.additions)
      .catch((error: unknown) => {
        throw plan.steps[stepIndex]?.kind === 'command' ? addServerErrors(error, options.logFile, logBytes) : error
      })
    if (named === '') target.database = left.database
    left.notices.forEach((notice) => options.onNotice(notice))
  }
  await removePasswords(admin, user)
  const { database } = target
  if (isLast) await sealDatabases(admin, { ...own, database })
  else await freezeTables(admin, own)
  await refuseTablespaces(dataDir)
  const mustCheck = isLast && (from.isUnchecked || (await ingest?.mayBeLossy()) === true)
  const expected = mustCheck ? await countRows(own, await listDatabases(admin)) : undefined
  const result = await finishWal(admin, ingest)
  return { database, expected, ingest: result }
}

/** A tool that hides what went wrong: the server has it in its log. */
function addServerErrors(error: unknown, logFile: string, fromByte: number): unknown {
  if (!(error instanceof PgBranchError)) return error
  const said = readServerErrors(logFile, fromByte).filter(({ message }) => !error.summary.includes(message))
  if (said.length === 0) return error
  const lines = said.slice(-maxServerErrors).flatMap(({ lines: all }) => all.map((line) => `  | ${line}`))
  return new PgBranchError(`${error.summary}\nwhat the server of the build said:\n${lines.join('\n')}`, {
    code: error.code,
    hint: error.hint ?? findStepHint(new Error(said.at(-1)?.message)),
    cause: error,
  })
}

const maxServerErrors = 3

/** How we reach a server of ours ourselves, which lets nobody else in. */
function getOwnAddress({ socketHost, port }: Cluster): DatabaseAddress {
  return { host: socketHost, port, user: superuser, password: '', database: 'postgres' }
}

/** @returns what `work` gives, unless a process ends before: that is then the error, whatever else it led to. */
async function endWithServer<T>(
  work: Promise<T>,
  { builder, cluster, logFile }: ExtendOptions & { cluster: Cluster },
): Promise<T> {
  const died = cluster.exited.then(() => {
    throw new PgBranchError(`the Postgres server of the build ended in mid-step:\n${readLogEnd(logFile)}`, {
      code: 'PGB_STEP_FAILED',
      hint: 'The lines above are from the server itself. Nothing was kept of this step; it is run again next time.',
    })
  })
  // The server ends in the ordinary way, too, later on.
  died.catch(() => {})
  return Promise.race([
    died,
    builder.died,
    work.catch(async (error: unknown) => {
      // A broken connection is seen before the end that it comes from.
      await Promise.race([died, builder.died, sleep(serverEndMs)])
      throw error
    }),
  ])
}

async function finishWal(admin: Client, ingest: FastIngest | undefined): Promise<IngestResult | undefined> {
  if (ingest === undefined) {
    await admin.query('CHECKPOINT')
    return undefined
  }
  const result = await ingest.finish()
  log('fast ingest: %d bytes of WAL, %d of them on disk', result.walBytes, result.walBytesOnDisk)
  return result
}

/** Starts the cluster as its branches will be started, and checks that everything is there. */
async function verifyRestarted(
  options: ExtendOptions & { dataDir: string; expected: RowCounts | undefined },
): Promise<void> {
  const { binaries, logFile, dataDir, expected } = options
  await using undo = new UndoStack()
  const cluster = await startCluster({ binaries, dataDir, logFile, settings: buildSettings })
  undo.push(() => cluster.stop('discard'))
  const own = getOwnAddress(cluster)
  const admin = await connectOwn(own)
  undo.push(() => admin.end())
  // Its connections also write the relation caches anew, which starting has removed and branches want.
  await verifyCluster(own, { databases: await listDatabases(admin), expected })
  await admin.query('CHECKPOINT')
  await admin.end()
  await cluster.stop('clean')
  undo.commit()
}
