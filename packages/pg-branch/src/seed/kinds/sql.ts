import type { SqlStep } from '../../config/types.ts'
import type { PlanningContext, StepContent, StepKind } from '../contract.ts'
import { hashFiles } from '../hash-files.ts'
import { PgBranchError } from '../../lib/errors.ts'
import { hashValue } from '../../lib/hash.ts'
import { expandGlobs } from '../../lib/inputs.ts'
import { runSqlFiles } from '../run-sql.ts'

/** Files of SQL, one after another, as psql runs them. */
export const sqlKind: StepKind<SqlStep> = {
  name: 'sql',
  includes: (step): step is SqlStep => typeof step !== 'function' && step.kind === 'sql',
  listGlobs: ({ globs }) => globs,
  readVariables: () => ({}),
  plan: (step, { context }) => planSql(step, context),
  async run({ step, files }, { run, additions }) {
    const { database } = await runSqlFiles(files.slice(additions), run, { transaction: step.transaction })
    return database
  },
}

async function planSql(step: SqlStep, context: PlanningContext): Promise<StepContent> {
  const label = `sql ${step.globs.join(' ')}`
  const files = await expandGlobs(step.globs, context.baseDir)
  if (files.length === 0) {
    throw new PgBranchError(`the step \`${label}\` matches no file in ${context.baseDir}`, {
      code: 'PGB_STEP_INPUT',
      hint: 'Globs are relative to the directory of the configuration file.',
    })
  }
  const inputs = await hashFiles(files, context.baseDir)
  const fingerprint = hashValue([
    'sql',
    Object.entries(inputs),
    ...(step.transaction === undefined ? [] : [step.transaction]),
  ])
  return { files, plan: { label, inputs, additions: Object.keys(inputs), journal: [], fingerprint } }
}
