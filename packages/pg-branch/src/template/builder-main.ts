import { PgBranchError } from '../lib/errors.ts'
import { createRpc } from '../lib/rpc.ts'
import { connect } from '../postgres/client.ts'
import type { PlannedStep, StepProgress, StepRun } from '../seed/contract.ts'
import { openStep } from '../seed/registry.ts'
import type { BuilderEvents, BuilderFunctions } from './builder-protocol.ts'
import { createPlan } from './create-plan.ts'
import type { Plan } from './plan.ts'

const { PG_BRANCH_UMASK: umask } = process.env
delete process.env.PG_BRANCH_UMASK
if (umask !== undefined) process.umask(Number.parseInt(umask, 8))

/**
 * The builder process: the only one that runs the user's code. It lives for one plan and the build
 * that may follow, so that the next one sees the files as they are then.
 */
let planned: { steps: PlannedStep[]; plan: Plan } | undefined

const functions: BuilderFunctions = {
  async createPlan(request) {
    const { plan, steps } = await createPlan(request)
    planned = { steps, plan }
    return plan
  },
  async runStep(index, target, additions) {
    const step = planned?.steps[index]
    if (planned === undefined || step === undefined) {
      throw new PgBranchError(`there is no step ${index}`, { code: 'PGB_INTERNAL' })
    }
    const progress = throttle((report) => void supervisor.onStepProgress.asEvent(report))
    const notices: string[] = []
    const { config, variables } = planned.plan
    const run: StepRun = {
      target,
      variables,
      baseDir: config.baseDir,
      notice: (message) => void notices.push(message),
      onProgress: (report) => progress.report(report),
      log: (message) => void supervisor.onStepProgress.asEvent({ message }),
      connect: (to) => connect(to),
    }
    const database = await openStep(step.step).run(step, { run, additions })
    progress.flush()
    return { database, notices }
  },
}

/** Passes on at most ten reports a second, which is all that a person can read, and the last one. */
function throttle(report: (progress: StepProgress) => void): {
  report(progress: StepProgress): void
  flush(): void
} {
  let last = 0
  let pending: StepProgress | undefined
  const send = (progress: StepProgress) => {
    last = performance.now()
    pending = undefined
    report(progress)
  }
  return {
    report(progress) {
      if (performance.now() - last >= 100) send(progress)
      else pending = progress
    },
    flush() {
      if (pending !== undefined) send(pending)
    },
  }
}

const supervisor = createRpc<BuilderEvents, BuilderFunctions>({
  functions,
  post: (text) => void process.send?.(text),
  on: (listener) => process.on('message', (text) => listener(String(text))),
})

// The supervisor is gone: what was being built is of no use. This process leads its own group, in
// which the user's commands run too.
process.on('disconnect', () => {
  try {
    process.kill(-process.pid, 'SIGKILL')
  } catch {
    process.exit(1)
  }
})
