import { connect } from '../postgres/client.ts'
import { createRpc } from '../lib/rpc.ts'
import { PgBranchError } from '../lib/errors.ts'
import type { BuilderEvents, BuilderFunctions } from './builder-protocol.ts'
import { createPlan } from './create-plan.ts'
import type { PlannedStep } from './plan-step.ts'
import type { StepProgress, StepRun } from './steps/contract.ts'
import { runCommand } from './steps/run-command.ts'
import { runDump } from './steps/run-dump.ts'
import { runFunction } from './steps/run-function.ts'
import { runSqlFiles } from './steps/run-sql.ts'

/**
 * The builder process: the only one that runs the user's code. It lives for one plan and the build
 * that may follow, so that the next one sees the files as they are then.
 */
let planned: { steps: PlannedStep[]; baseDir: string } | undefined

const functions: BuilderFunctions = {
  async createPlan(request) {
    const { plan, steps } = await createPlan(request)
    planned = { steps, baseDir: plan.config.baseDir }
    return plan
  },
  async runStep(index, target, additions) {
    const step = planned?.steps[index]
    if (planned === undefined || step === undefined) {
      throw new PgBranchError(`there is no step ${index}`, { code: 'PGB_INTERNAL' })
    }
    const progress = throttle((report) => void supervisor.onStepProgress.asEvent(report))
    const run: StepRun = {
      target,
      baseDir: planned.baseDir,
      onProgress: (report) => progress.report(report),
      log: (message) => void supervisor.onStepProgress.asEvent({ message }),
      connect: (to) => connect(to),
    }
    const database = await runPlannedStep(step, { run, additions })
    progress.flush()
    return database
  },
}

async function runPlannedStep(
  { step, files, plan }: PlannedStep,
  { run, additions }: { run: StepRun; additions: number },
): Promise<string> {
  if (typeof step === 'function') await runFunction(step, { run, label: plan.label })
  // Which migrations are new, the command knows by itself.
  else if (step.kind === 'command') await runCommand(step, { run, mustFill: plan.additions.length > 0 })
  else if (step.kind === 'dump') return runDump(files[0] ?? '', { step, run })
  else return runSqlFiles(files.slice(additions), run)
  return run.target.database
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
