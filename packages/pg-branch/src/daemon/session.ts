import type { Socket } from 'node:net'
import { validateBy } from '../config/validate.ts'
import { PgBranchError } from '../lib/errors.ts'
import { createLog } from '../lib/log.ts'
import type { StatePaths } from '../lib/paths.ts'
import { createSocketRpc, refuseSocket } from '../lib/rpc.ts'
import { packageVersion } from '../lib/version.ts'
import { describeSteps } from '../place/explain.ts'
import { environmentOptionsSchema, type EnvironmentOptions } from '../protocol/environment-options.ts'
import type {
  ClientFunctions,
  LeaseAnswer,
  LeaseRequest,
  ProjectRequest,
  SupervisorFunctions,
  SupervisorStatus,
  TemplateReport,
  TemplateRequest,
} from '../protocol/protocol.ts'
import { withSentinel } from '../url/sentinel.ts'
import { guardFunctions, maxRequestBytes } from './guard-functions.ts'
import { testWords } from './gateway-words.ts'
import { describeLease } from './lease-answer.ts'
import type { Leases } from './leases.ts'
import type { NamedBranches } from './named-branches.ts'
import { takeNotices, type Project, type ProjectListeners } from './project.ts'
import { serveCatalog } from './serve-catalog.ts'
import { serveNamed } from './serve-named.ts'
import { serveWorkspace } from './serve-workspace.ts'

const log = createLog('lease')

/** What a session needs from its supervisor. */
export interface SessionHost {
  leases: Leases
  branches: NamedBranches
  paths: StatePaths
  findProject(request: { rootDir: string; configFile: string | undefined }): Project
  getStatus(): SupervisorStatus
  shutDown(): Promise<void>
  stay(untilMs: number): void
  /** Only the first client of a run hears a notice. */
  takeNotices(runId: string, notices: string[]): string[]
  /** Only one client of a run at a time tells the user how a build is going. */
  claimVoice(runId: string): { release(): void } | undefined
}

/** Serves one client. Everything that it holds is returned when its socket closes, however that happens. */
export function serveSession(socket: Socket, host: SessionHost): Promise<void> {
  const held = new Set<string>()
  const closeLease = (id: string) =>
    void host.leases.close(id, { orderly: false }).catch((error: unknown) => log('lease %s: %O', id, error))
  let closed = false
  let greeted = false
  const onOpen = (id: string) => {
    held.add(id)
    // The client may be gone by the time its branch is ready.
    if (closed) closeLease(id)
  }
  const functions: SupervisorFunctions = {
    async hello({ version }) {
      if (version !== packageVersion) {
        throw new PgBranchError(`the supervisor is version ${packageVersion}, the client ${version}`, {
          code: 'PGB_SUPERVISOR_VERSION',
          hint: 'Install one version of pg-branch and of its runner packages, then run `pg-branch down`.',
        })
      }
      greeted = true
    },
    async lease(request) {
      return openLease(request, { host, client, onOpen })
    },
    ...serveWorkspace({
      leases: host.leases,
      requireHeld(id) {
        if (!held.has(id)) throw new PgBranchError('this client does not hold that lease', { code: 'PGB_LEASE' })
      },
      onOpen,
    }),
    ...serveNamed({
      branches: host.branches,
      prepare: (asked) =>
        withProject(asked, { host, client }, (project, listeners, request) => project.prepare(request, listeners)),
    }),
    ...serveCatalog({
      host,
      withProject: (asked, action) => withProject(asked, { host, client }, action),
    }),
    async build(request) {
      return buildTemplate(request, { host, client })
    },
    async release({ leaseId, failed }) {
      if (!held.delete(leaseId)) return {}
      return host.leases.close(leaseId, { failed, orderly: true })
    },
    async status() {
      return host.getStatus()
    },
    takeRun: async ({ runId }) => host.leases.runs.take(runId),
    async stay({ untilMs }) {
      host.stay(untilMs)
    },
    async shutdown() {
      await host.shutDown()
    },
  }
  const refuse = (error: PgBranchError) => {
    log('a client is refused: %s', error.summary)
    refuseSocket(socket, error)
  }
  const guarded = guardFunctions(functions, { hasGreeted: () => greeted, refuse })
  const options = { maxLineBytes: maxRequestBytes, onBroken: refuse }
  const client = createSocketRpc<ClientFunctions, SupervisorFunctions>(socket, guarded, options)
  return new Promise((resolve) => {
    socket.on('error', () => {})
    socket.once('close', () => {
      closed = true
      client.$close()
      for (const id of held) closeLease(id)
      resolve()
    })
  })
}

type Client = Pick<ReturnType<typeof createSocketRpc<ClientFunctions, SupervisorFunctions>>, 'onProgress'>

/** Runs `action` on the project that a client asks for; while it waits, the client hears how a build is going. */
async function withProject<T, Request extends ProjectRequest>(
  asked: Request,
  { host, client }: { host: SessionHost; client: Client },
  action: (project: Project, listeners: ProjectListeners, request: Request) => Promise<T>,
): Promise<T> {
  // Nor may a file that the user's code reads there lead to another database.
  // Tools that choose by NODE_ENV choose the same for the command line as for the runners, which set it.
  const env = { ...withSentinel(asked.env, { dir: asked.rootDir }), NODE_ENV: asked.env.NODE_ENV || 'test' }
  const request = { ...asked, env }
  const options = validateBy(environmentOptionsSchema, request.options ?? {}, {
    source: 'the environment option `pgBranch`',
    code: 'PGB_OPTION_INVALID',
  })
  requireScope(options)
  const project = host.findProject({ rootDir: request.rootDir, configFile: options.config })
  let voice: ReturnType<SessionHost['claimVoice']>
  const tell = (report: Omit<Parameters<ClientFunctions['onProgress']>[0], 'speak'>) => {
    voice ??= host.claimVoice(request.runId)
    // Whoever has left need not hear it.
    client.onProgress.asEvent({ ...report, speak: voice !== undefined }).catch(() => {})
  }
  try {
    const listeners: ProjectListeners = {
      onProgress: tell,
      onBuilt: (done) => tell({ phase: 'built', elapsedMs: done.buildMs, done }),
    }
    return await action(project, listeners, request)
  } finally {
    voice?.release()
  }
}

/** @throws PgBranchError `PGB_OPTION_INVALID` for options that would have no effect. */
function requireScope({ scope, diffOnFailure, leftOver }: EnvironmentOptions): void {
  if (scope === 'test' || (diffOnFailure === undefined && leftOver === undefined)) return
  const name = diffOnFailure === undefined ? 'leftOver' : 'diffOnFailure'
  throw new PgBranchError(`the environment option \`pgBranch.${name}\` has no meaning without \`scope: 'test'\``, {
    code: 'PGB_OPTION_INVALID',
    hint: "Set `scope: 'test'` beside it, or leave it out.",
  })
}

function openLease(
  asked: LeaseRequest,
  context: { host: SessionHost; client: Client; onOpen(id: string): void },
): Promise<LeaseAnswer> {
  const { host, onOpen } = context
  return withProject(asked, context, async (project, listeners, request) => {
    const ready = await project.prepare(request, listeners)
    const { scope, holder, runId } = request
    const lease =
      scope === 'test'
        ? await host.leases.openMoving(ready, { holder, runId, words: testWords, keepsControl: true }, ready.origin)
        : await host.leases.openFixed(ready, { holder, runId, isHandedOn: scope === 'worker' })
    onOpen(lease.id)
    const notices = [...host.takeNotices(request.runId, ready.plan.notices), ...ready.news.splice(0)]
    return describeLease(lease, notices)
  })
}

function buildTemplate(
  asked: TemplateRequest,
  context: { host: SessionHost; client: Client },
): Promise<TemplateReport> {
  return withProject(asked, context, async (project, listeners, request) => {
    if (request.dryRun) return project.explain(request)
    let built: Parameters<ProjectListeners['onBuilt']>[0] | undefined
    const ready = await project.prepare(request, {
      ...listeners,
      onBuilt(result) {
        built = result
        listeners.onBuilt(result)
      },
    })
    const { plan, templateKey } = ready
    const cached = plan.steps.length - (built?.stepsRun ?? 0)
    const start = { steps: cached, additions: built?.filesReused ?? 0 }
    return {
      key: templateKey,
      why: built?.why,
      steps: describeSteps(plan.steps, start),
      notices: takeNotices(ready),
    }
  })
}
