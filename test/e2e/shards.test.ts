import { setTimeout as sleep } from 'node:timers/promises'
import type { Result } from 'execa'
import { expect, test } from 'vitest'
import { openStoreDir } from '../support/artefact.ts'
import { makeHome, type TestHome } from '../support/home.ts'
import { makeProject, queryTest, toCommonJs } from '../support/project.ts'
import { startRegistry } from '../support/registry.ts'

const shards = [1, 2, 3, 4]
/** So slow that whoever comes meanwhile must wait. */
const seed = `SELECT pg_sleep(4); CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) AS n;`

const createConfig = (store: string) =>
  `export default { seed: { kind: 'sql', globs: ['seed.sql'] }, cache: { store: ${JSON.stringify(store)} } }`

const testFiles = Object.fromEntries(
  shards.map((n) => [`test/${n}.test.js`, queryTest(`reads ${n}`, ['SELECT count(*)::int FROM t'], 1000)]),
)

const vitestFiles = {
  ...testFiles,
  'seed.sql': seed,
  'vitest.config.js': `export default { test: { environment: 'pg-branch' } }`,
}

function readOutcome(result: RunResult): 'built' | 'fetched' {
  const text = String(result.all)
  expect(result.exitCode, text).toBe(0)
  if (/template built/.test(text)) return 'built'
  expect(text).toMatch(/template [0-9a-f]{8} fetched from/)
  return 'fetched'
}

async function endAll(homes: TestHome[]): Promise<void> {
  for (const home of homes) expect(await home.end()).toEqual([])
}

interface RunResult {
  all?: unknown
  exitCode?: number | undefined
}

/** Four machines that have nothing yet, and start together. */
async function runFourShards(
  run: (shard: string, env: TestHome['env']) => PromiseLike<RunResult>,
): Promise<RunResult[]> {
  await using one = makeHome()
  await using two = makeHome()
  await using three = makeHome()
  await using four = makeHome()
  const homes = [one, two, three, four]
  const results = await Promise.all(homes.map(({ env }, index) => run(`${index + 1}/4`, env)))
  await endAll(homes)
  return results
}

test('four shards of `vitest --shard` with cold caches: one builds, the others wait for it and fetch', async () => {
  await using project = await makeProject({ ...vitestFiles, 'pg-branch.config.mjs': createConfig('shared') })
  const results = await runFourShards((shard, env) =>
    project.vitest(['run', '--shard', shard], { env, reject: false, all: true }),
  )
  expect(results.map(readOutcome).toSorted()).toEqual(['built', 'fetched', 'fetched', 'fetched'])
  expect(results.some(({ all }) => String(all).includes('another machine builds this template'))).toBe(true)
})

test('the same with `jest --shard`, through an OCI registry', async () => {
  await using registry = await startRegistry('none')
  await using project = await makeProject({
    ...Object.fromEntries(
      Object.entries(testFiles).map(([path, text]) => [path.replace('.js', '.cjs'), toCommonJs(text)]),
    ),
    'seed.sql': seed,
    'jest.config.cjs': `module.exports = { testEnvironment: 'pg-branch', testMatch: ['**/*.test.cjs'], transform: {} }`,
    'pg-branch.config.mjs': createConfig(`oci://${registry.host}/shards/templates`),
  })
  const results = await runFourShards((shard, env) =>
    project.jest(['--shard', shard], { env, reject: false, all: true }),
  )
  expect(results.map(readOutcome).toSorted()).toEqual(['built', 'fetched', 'fetched', 'fetched'])
})

test('the shard that builds is killed in the middle: somebody takes over, and nobody sees half a template', async () => {
  await using project = await makeProject({ ...vitestFiles, 'pg-branch.config.mjs': createConfig('shared') })
  await using first = makeHome()
  await using second = makeHome()
  const run = (home: TestHome, shard: number) =>
    project.vitest(['run', '--shard', `${shard}/2`], { env: home.env, reject: false, all: true }) as Promise<
      Result<{ all: true; reject: false }>
    >
  const killed = run(first, 1)
  await expect.poll(() => first.readLog(), { timeout: 30_000 }).toContain('building')
  const waiting = run(second, 2)
  await sleep(1_500)
  process.kill(first.supervisorPid() ?? 0, 'SIGKILL')
  expect(openStoreDir(`${project.dir}/shared`).keys()).toEqual([])
  // The killed one's run asks a new supervisor, so that either may be the one to take over.
  expect([readOutcome(await waiting), readOutcome(await killed)].toSorted()).toEqual(['built', 'fetched'])
  await endAll([first, second])
})

test('a shard that has waited for long enough builds its own; one that may not write waits for nobody', async () => {
  const config = createConfig('shared').replace('} }', ', waitMs: 500 } }')
  await using project = await makeProject({ ...vitestFiles, 'pg-branch.config.mjs': config })
  await using one = makeHome()
  await using two = makeHome()
  const homes = [one, two]
  const results = await Promise.all(
    homes.map(({ env }, index) =>
      project.vitest(['run', '--shard', `${index + 1}/2`], { env, reject: false, all: true }),
    ),
  )
  expect(results.map(readOutcome)).toEqual(['built', 'built'])
  await endAll(homes)
  // A store that cannot be written costs a line, and no test.
  await project.write({ 'pg-branch.config.mjs': createConfig('/etc/passwd/templates'), 'seed.sql': `${seed} -- other` })
  await using home = makeHome()
  const result = await project.vitest(['run'], { env: home.env, reject: false, all: true })
  expect(readOutcome(result)).toBe('built')
  expect(String(result.all)).toMatch(
    /templates are not shared in this run: the template store \/etc\/passwd\/templates cannot be used/,
  )
  await endAll([home])
})
