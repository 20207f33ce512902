import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { cp, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { runCli } from '../support/cli.ts'
import { cliFile, makeHome, type TestHome } from '../support/home.ts'
import { makeProject, queryTest, type TestProject } from '../support/project.ts'
import { startRegistry } from '../support/registry.ts'
import { makeVolume } from '../support/volumes.ts'

const rootDir = fileURLToPath(new URL('../..', import.meta.url))
const actionDir = join(rootDir, '.github/actions/pg-branch')
const exampleDir = join(rootDir, 'examples/ci-shards')

interface Step {
  id?: string
  name: string
  if?: string
  uses?: string
  run?: string
  env?: Record<string, string>
  with?: Record<string, string>
}

interface Action {
  inputs: Record<string, { default: string }>
  outputs: Record<string, { value: string }>
  runs: { steps: Step[] }
}

interface Workflow {
  jobs: Record<string, { steps: Step[] }>
}

const readYaml = (path: string) => parse(readFileSync(path, 'utf8')) as unknown
const action = readYaml(join(actionDir, 'action.yml')) as Action

interface Job {
  outputs: Record<string, string>
  summary: string
  log: string
  /** What later steps of the job get. */
  env: Record<string, string>
}

/** Runs the action's shell steps as GitHub does, one after the other; what its cache would restore is in `tempDir`. */
async function runAction(
  project: TestProject,
  { home, tempDir, inputs }: { home: TestHome; tempDir: string; inputs: Record<string, string> },
): Promise<Job> {
  await mkdir(tempDir, { recursive: true })
  const files = { env: join(tempDir, 'env'), output: join(tempDir, 'output'), summary: join(tempDir, 'summary') }
  const values: Record<string, string> = {
    'github.action_path': actionDir,
    'github.actor': 'someone',
    'github.token': 'a-token',
  }
  for (const [name, { default: value }] of Object.entries(action.inputs)) {
    values[`inputs.${name}`] = inputs[name] ?? evaluate(value, values)
  }
  const job: Job = { outputs: {}, summary: '', log: '', env: { ...home.env } }
  for (const { run, env = {} } of action.runs.steps) {
    if (run === undefined) continue
    const result = await execa('bash', ['-e', '-o', 'pipefail', '-c', evaluate(run, values)], {
      cwd: project.dir,
      reject: false,
      all: true,
      env: {
        ...job.env,
        ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, evaluate(value, values)])),
        GITHUB_ENV: files.env,
        GITHUB_OUTPUT: files.output,
        GITHUB_STEP_SUMMARY: files.summary,
        RUNNER_TEMP: tempDir,
        NO_COLOR: '1',
      },
    })
    job.log += `${result.all}\n`
    expect(result.exitCode, job.log).toBe(0)
    Object.assign(job.env, readAssignments(files.env))
    Object.assign(job.outputs, readAssignments(files.output))
  }
  job.summary = readFileSync(files.summary, 'utf8')
  return job
}

/** As far as the action needs expressions. */
function evaluate(text: string, values: Record<string, string>): string {
  return text.replaceAll(/\$\{\{ *([\w.-]+) *\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`nothing is known of ${name}`)
    return value
  })
}

function readAssignments(file: string): Record<string, string> {
  if (!existsSync(file)) return {}
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

const files = {
  'migrations/1.sql': 'CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) AS n;',
  'vitest.config.js': `export default { test: { environment: 'pg-branch' } }`,
  'a.test.js': queryTest('reads', ['SELECT count(*)::int FROM t'], 1000),
}
const command = `${process.execPath} ${cliFile}`

test('the action: a volume, a template that the first job builds and the second has from the cache, a summary', async () => {
  // Installs btrfs-progs where they are missing.
  await using _btrfs = await makeVolume('btrfs')
  await using project = await makeProject(files)
  const dir = mkdtempSync(join(tmpdir(), 'pgb-action-'))
  await using first = makeHome()
  const inputs = { command, volume: '2G' }
  try {
    const built = await runAction(project, { home: first, tempDir: join(dir, 'one'), inputs })
    expect(built.outputs).toMatchObject({
      key: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      store: join(dir, 'one/pg-branch-templates'),
      reused: 'false',
    })
    expect(built.summary).toMatch(/<summary>pg-branch doctor<\/summary>[\s\S]*btrfs on .*works, which is taken/)
    const run = await project.vitest(['run'], { env: built.env })
    expect(run.exitCode, String(run.all)).toBe(0)
    // `up` has it at hand: nothing is built, and nothing fetched.
    expect(run.all).not.toMatch(/template built|fetched/)
    expect((await runCli(project.dir, ['volume', 'remove'], { env: first.env })).stdout).toBe('removed')
    await using second = makeHome()
    await cp(join(dir, 'one/pg-branch-templates'), join(dir, 'two/pg-branch-templates'), { recursive: true })
    const restored = await runAction(project, {
      home: second,
      tempDir: join(dir, 'two'),
      inputs: { command, volume: 'none' },
    })
    expect(restored.outputs).toMatchObject({ key: built.outputs.key, reused: 'true' })
    expect(restored.log).toMatch(/template [0-9a-f]{8} fetched from/)
    expect(await second.end()).toEqual([])
  } finally {
    await runCli(project.dir, ['volume', 'remove'], { env: first.env })
    rmSync(dir, { recursive: true, force: true })
  }
})

test('the action with a registry: who logs in is masked, and passed on to the tests', async () => {
  await using registry = await startRegistry('basic')
  await using project = await makeProject(files)
  await using home = makeHome()
  const tempDir = join(home.dir, 'temp')
  const inputs = {
    command,
    volume: 'none',
    store: `oci://${registry.host}/app/templates`,
    'registry-user': registry.user,
    'registry-password': registry.password,
  }
  const job = await runAction(project, { home, tempDir, inputs })
  expect(job.outputs.reused).toBe('false')
  expect(job.log.replace(`::add-mask::${registry.password}`, '')).not.toContain(registry.password)
  expect(job.env).toMatchObject({
    PG_BRANCH_STORE: inputs.store,
    PG_BRANCH_REGISTRY_USER: registry.user,
    PG_BRANCH_REGISTRY_PASSWORD: registry.password,
  })
  expect(await home.end()).toEqual([])
})

test('sample workflows give the action only inputs that it has, and the action names only what there is', () => {
  const known = Object.keys(action.inputs)
  for (const name of ['github-workflow.yml', 'github-workflow-cache.yml']) {
    const { jobs } = readYaml(join(exampleDir, name)) as Workflow
    const steps = Object.values(jobs).flatMap((job) => job.steps)
    const uses = steps.filter((step) => step.uses?.includes('.github/actions/pg-branch') === true)
    expect(uses.length).toBeGreaterThan(0)
    for (const { with: given = {} } of uses) expect(known).toEqual(expect.arrayContaining(Object.keys(given)))
  }
  const text = JSON.stringify(action)
  const ids = action.runs.steps.flatMap(({ id = [] }) => id)
  for (const [, id = ''] of text.matchAll(/steps\.([\w-]+)\./g)) expect(ids).toContain(id)
  for (const [, input = ''] of text.matchAll(/inputs\.([\w-]+)/g)) expect(known).toContain(input)
  const scripts = readdirSync(actionDir).filter((name) => name.endsWith('.sh'))
  for (const script of scripts) expect(text).toContain(script)
})

test('GitLab and Buildkite snippets: their lines, with their variables, run a shard of the example', async () => {
  const { test: job } = readYaml(join(exampleDir, 'gitlab-ci.yml')) as {
    test: { script: string[]; variables: Record<string, string> }
  }
  const {
    steps: [step],
  } = readYaml(join(exampleDir, 'buildkite.yml')) as {
    steps: Array<{ command: string[]; env: Record<string, string> }>
  }
  expect(Object.keys(job.variables)).toContain('PG_BRANCH_STORE')
  expect(Object.keys(step?.env ?? {})).toEqual(['PG_BRANCH_STORE'])
  await using home = makeHome()
  const run = async (lines: string[], env: Record<string, string>) => {
    // Its packages are there.
    const script = lines.filter((line) => line !== 'npm ci').join('\n')
    const store = { PG_BRANCH_STORE: join(home.dir, 'templates'), NODE_OPTIONS: '', VITEST: '' }
    const result = await execa('bash', ['-e', '-c', script], {
      cwd: exampleDir,
      reject: false,
      all: true,
      env: { ...home.env, ...store, ...env },
    })
    expect(result.exitCode, result.all).toBe(0)
    return stripVTControlCharacters(result.all)
  }
  const gitlab = await run(job.script, { CI_NODE_INDEX: '1', CI_NODE_TOTAL: '4' })
  expect(gitlab).toMatch(/Test Files {2}2 passed/)
  const lines = (step?.command ?? []).map((line) => line.replaceAll('$$', '$'))
  const buildkite = await run(lines, { BUILDKITE_PARALLEL_JOB: '3', BUILDKITE_PARALLEL_JOB_COUNT: '4' })
  expect(buildkite).toMatch(/Test Files {2}1 passed/)
  expect(await home.end()).toEqual([])
})
