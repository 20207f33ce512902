import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RunnableStep } from '../../packages/pg-branch/dist/config/types.js'
import { parseUrl } from '../../packages/pg-branch/dist/lib/connection-uri.js'
import { expandGlobs } from '../../packages/pg-branch/dist/lib/inputs.js'
import { connect } from '../../packages/pg-branch/dist/postgres/client.js'
import type { PlannedStep } from '../../packages/pg-branch/dist/seed/contract.js'
import { openStep, planStep } from '../../packages/pg-branch/dist/seed/registry.js'
import { leaseBranch, type TestBranch } from '../support/branch.ts'
import { makeHome, type TestHome } from '../support/home.ts'
import { makeProject, type TestProject } from '../support/project.ts'

export interface StepCase {
  /** Files of the step, which makes a table `made` with a row 7. */
  files: Record<string, string>
  step: RunnableStep
  /** Another version of one of the files, or of the step itself. */
  changed: { file: string; text: string } | { step: RunnableStep }
  /** Makes the step fail by a division by zero. */
  failing: { files: Record<string, string> } | { step: RunnableStep }
}

/** What every kind of step must do, on a real server. */
export function describeStepKind(name: string, { files, step, changed, failing }: StepCase): void {
  describe(`a step of the kind ${name}`, () => {
    let home: TestHome
    let project: TestProject
    let branch: TestBranch
    let dir: string
    const before = { ...process.env }

    beforeAll(async () => {
      home = makeHome()
      project = await makeProject({})
    })
    afterAll(async () => {
      await project[Symbol.asyncDispose]()
      await home[Symbol.asyncDispose]()
    })
    beforeEach(async () => {
      branch = await leaseBranch(project.dir)
      dir = mkdtempSync(join(tmpdir(), 'pgb-step-'))
      write(files)
    })
    afterEach(async () => {
      // A function may look for its database where code always does.
      process.env = { ...before, PG_BRANCH_HOME: process.env.PG_BRANCH_HOME }
      await branch[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true })
    })

    const write = (texts: Record<string, string>) => {
      for (const [file, text] of Object.entries(texts)) writeFileSync(join(dir, file), text)
    }
    const plan = (planned: RunnableStep) =>
      planStep(planned, {
        index: 0,
        database: '',
        context: {
          baseDir: dir,
          configFile: join(dir, 'pg-branch.config.mjs'),
          downloadsDir: dir,
          loaded: { config: {}, code: 'export default {}', imports: [], envReads: {} },
          seed: [planned],
          notices: [],
        },
      })
    const run = async (planned: PlannedStep) => {
      const target = parseUrl(branch.url)
      if (target === undefined) throw new Error('no address')
      return openStep(planned.step).run(planned, {
        additions: 0,
        run: {
          target: { ...target, shared: false },
          baseDir: dir,
          variables: {},
          onProgress: () => {},
          log: () => {},
          notice: () => {},
          connect,
        },
      })
    }

    test('its plan is data, the same for the same inputs, and says what it is', async () => {
      const [first, second] = [await plan(step), await plan(step)]
      expect(second.plan).toEqual(first.plan)
      expect(structuredClone(JSON.parse(JSON.stringify(first.plan)))).toEqual(first.plan)
      expect(first.plan.kind).toBe(name)
      expect(first.plan.label).toMatch(new RegExp(`^${name} `))
      expect(Object.keys(first.plan.inputs)).not.toEqual([])
    })

    test('another input is another fingerprint, and the plan says which', async () => {
      const first = await plan(step)
      if ('file' in changed) {
        write({ [changed.file]: changed.text })
        expect(await expandGlobs(openStep(step).listGlobs(dir), dir)).toContain(join(dir, changed.file))
      }
      const second = await plan('step' in changed ? changed.step : step)
      expect(second.plan.fingerprint).not.toBe(first.plan.fingerprint)
      expect(second.plan.inputs).not.toEqual(first.plan.inputs)
    })

    test('it does to the database what it is for, and says in which it ended', async () => {
      const database = await run(await plan(step))
      expect(database).toBe('postgres')
      expect(await branch.query('SELECT n FROM made')).toEqual([{ n: 7 }])
    })

    test('where it fails, the error has the server’s words', async () => {
      if ('files' in failing) write(failing.files)
      await expect(run(await plan('step' in failing ? failing.step : step))).rejects.toMatchObject({
        code: 'PGB_STEP_FAILED',
        message: expect.stringMatching(/division by zero/) as string,
      })
    })
  })
}
