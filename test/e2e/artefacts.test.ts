import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startS3 } from '@pg-branch/bench/s3'
import { describe, expect, test } from 'vitest'
import { openStoreDir, type Manifest } from '../support/artefact.ts'
import { leaseBranch } from '../support/branch.ts'
import { runCli, runJson } from '../support/cli.ts'
import { makeHome, type TestHome } from '../support/home.ts'
import { makeProject, type TestProject } from '../support/project.ts'
import { startRegistry } from '../support/registry.ts'

interface Answer {
  key: string
  bytes: number
  bytesMoved: number
  wasThere: boolean
}

const rows = 40_000
const config = `export default { seed: [{ kind: 'sql', globs: ['1.sql'] }, { kind: 'sql', globs: ['2.sql'] }] }`
const files = {
  'pg-branch.config.mjs': config,
  '1.sql': `CREATE TABLE big AS SELECT n AS id, md5(n::text) AS body FROM generate_series(1, ${rows}) AS n; CREATE INDEX ON big (body);`,
  '2.sql': 'CREATE TABLE small (id int);',
}

/** A machine that has nothing of the project's. */
async function onOtherMachine(project: TestProject, action: (home: TestHome) => Promise<void>): Promise<void> {
  await using home = makeHome()
  await action(home)
  const { count } = (await checkBig(project))[0] ?? {}
  expect(count).toBe(rows)
  expect(await home.end()).toEqual([])
}

async function checkBig(project: TestProject): Promise<Array<{ count?: unknown }>> {
  await using branch = await leaseBranch(project.dir)
  return await branch.query(`SELECT count(*)::int AS count FROM big WHERE body = md5(id::text)`)
}

async function pack(project: TestProject): Promise<{ key: string; storeDir: string; bytes: number }> {
  const storeDir = join(project.dir, 'store')
  await using home = makeHome()
  const { key, bytes } = await runJson<Answer>(project.dir, ['template', 'pack', 'store'])
  expect(await home.end()).toEqual([])
  return { key, storeDir, bytes }
}

test('a template goes through a directory to a machine that cannot build it; what is there is not moved again', async () => {
  await using project = await makeProject(files)
  const storeDir = join(project.dir, 'store')
  const store = openStoreDir(storeDir)
  {
    await using home = makeHome()
    const first = await runJson<Answer>(project.dir, ['template', 'push', storeDir])
    expect(first.bytesMoved).toBeGreaterThan(500_000)
    const again = await runCli(project.dir, ['template', 'push', storeDir])
    expect(again.stdout).toMatch(/^template [0-9a-f]{8} is in .*store: all of it was there$/)
    // A changed last step moves what it wrote, and a few pages of the catalogue.
    await project.write({
      '2.sql': `CREATE TABLE small AS SELECT n AS id, md5(n::text) AS body FROM generate_series(1, 20000) AS n;`,
    })
    const before = store.countBytes()
    const second = await runJson<Answer & { key: string }>(project.dir, ['template', 'push', storeDir])
    expect(second.key).not.toBe(first.key)
    const layerBytes = await measureTable(project)
    expect(store.countBytes() - before).toBeLessThan(layerBytes * 2)
    expect(second.bytesMoved).toBeLessThan(second.bytes / 2)
    expect(store.keys()).toHaveLength(2)
    expect(await home.end()).toEqual([])
  }
  await onOtherMachine(project, async (home) => {
    const why = await runCli(project.dir, ['template', 'why'], { env: { PG_BRANCH_STORE: storeDir } })
    expect(why.stdout).toMatch(/^template [0-9a-f]{8} would be fetched from .*store$/)
    const pulled = await runCli(project.dir, ['template', 'pull', storeDir])
    expect(pulled.stdout).toMatch(/^fetched template [0-9a-f]{8} from .*, [\d.]+ MB$/)
    expect(await runJson<Answer>(project.dir, ['template', 'pull', storeDir])).toMatchObject({ wasThere: true })
    expect((await runCli(project.dir, ['template', 'why'])).stdout).toMatch(/is there: nothing would be built/)
    expect(readdirSync(join(home.stateDir, 'chunks'))).toEqual([])
    // What is all zeros takes no space.
    const walDir = join(
      home.stateDir,
      'templates',
      (await runJson<Answer>(project.dir, ['template', 'pull', storeDir])).key,
    )
    expect(diskBytes(walDir)).toBeLessThan(apparentBytes(walDir) * 1.02)
  })
})

/** The size of the last layer's rows. */
async function measureTable(project: TestProject): Promise<number> {
  await using branch = await leaseBranch(project.dir)
  const [row] = await branch.query(`SELECT pg_table_size('small')::int AS bytes`)
  return Number(row?.bytes)
}

function diskBytes(dir: string): number {
  return Number(execFileSync('du', ['-s', '--block-size=1', dir], { encoding: 'utf8' }).split('\t')[0])
}

function apparentBytes(dir: string): number {
  return Number(
    execFileSync('du', ['-s', '--apparent-size', '--block-size=1', dir], { encoding: 'utf8' }).split('\t')[0],
  )
}

interface SharedPlace {
  store: string
  /** Logs in, in whole and wrongly. */
  login: Record<string, string>
  noLogin: Record<string, string>
  refusal: string
  secret: string
  [Symbol.asyncDispose](): Promise<void>
}

async function useRegistry(): Promise<SharedPlace> {
  const registry = await startRegistry('basic')
  return {
    store: `oci://${registry.host}/team/app-templates`,
    login: { PG_BRANCH_REGISTRY_USER: registry.user, PG_BRANCH_REGISTRY_PASSWORD: registry.password },
    noLogin: { DOCKER_CONFIG: '/nonexistent' },
    refusal: 'answered 401',
    secret: registry.password,
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  }
}

async function useBucket(): Promise<SharedPlace> {
  const server = await startS3()
  return {
    store: `s3://${server.bucket}/team/app?endpoint=${server.origin}`,
    login: server.env,
    noLogin: { HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true' },
    refusal: 'CredentialsProviderError',
    secret: server.secret,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

test.each([
  ['an OCI registry', useRegistry],
  ['a bucket', useBucket],
])('a template goes through %s that wants a login', async (_name, use) => {
  await using project = await makeProject(files)
  await using place = await use()
  const { store, login, noLogin, refusal, secret } = place
  {
    await using home = makeHome()
    const refused = await runCli(project.dir, ['template', 'push', store], { env: noLogin })
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toContain(refusal)
    const { bytesMoved } = await runJson<Answer>(project.dir, ['template', 'push', store], login)
    expect(bytesMoved).toBeGreaterThan(500_000)
    expect(await runJson<Answer>(project.dir, ['template', 'push', store], login)).toMatchObject({ bytesMoved: 0 })
    expect(home.readLog()).not.toContain(secret)
    expect(await home.end()).toEqual([])
  }
  await onOtherMachine(project, async () => {
    const elsewhere = store.replace('/team/', '/other/')
    const missing = await runCli(project.dir, ['template', 'pull', elsewhere], { env: login })
    expect(missing.exitCode).toBe(1)
    expect(missing.stderr).toContain('[PGB_TEMPLATE_UNKNOWN]')
    expect(await runJson<Answer>(project.dir, ['template', 'pull', store], login)).toMatchObject({ wasThere: false })
  })
})

describe('what is not as it should be is refused with the reason, and nothing of it is used', () => {
  const find = (manifest: Manifest, path: RegExp) => {
    const file = manifest.files.find((one) => path.test(one.path))
    if (file === undefined) throw new Error(`no file like ${String(path)}`)
    return file
  }
  const manifests: Array<[string, (manifest: Manifest) => void, RegExp]> = [
    [
      'a path that leaves its folder',
      (m) => void (find(m, /PG_VERSION$/).path = '../../evil'),
      /files\.\d+\.path: leaves its folder/,
    ],
    ['an absolute path', (m) => void (find(m, /PG_VERSION$/).path = '/tmp/evil'), /leaves its folder/],
    ['a path with a NUL', (m) => void (find(m, /PG_VERSION$/).path = 'a\0b'), /leaves its folder/],
    ['a directory outside', (m) => void m.directories.push('..'), /directories\.\d+: leaves its folder/],
    [
      'a file in no directory',
      (m) => void (find(m, /^PG_VERSION$/).path = 'nowhere/file'),
      /nowhere\/file has no directory/,
    ],
    ['a path twice', (m) => void (find(m, /^PG_VERSION$/).path = find(m, /pg_control$/).path), /a path is there twice/],
    ['a missing piece', (m) => void m.chunks.pop(), /has not all of its pieces|has a gap/],
    ['a piece too many', (m) => void m.chunks[0]?.pieces.push([0, 0, 4]), /has a gap or an overlap|has not all/],
    ['another Postgres', (m) => void (m.template.buildId = 'other'), /is for another Postgres or machine/],
    [
      'another architecture',
      (m) => void (m.platform = 'linux-s390x'),
      /is for another Postgres or machine \(linux-s390x, here /,
    ],
    ['another version of pg-branch', (m) => void (m.template.formatVersion = 1), /was written by another version/],
    [
      'a chunk that holds something else',
      (m) => void ((m.chunks[0] ?? { hash: '' }).hash = 'a'.repeat(64)),
      /does not hold what the artefact says/,
    ],
  ]
  test('damaged, foreign, malicious', async () => {
    await using project = await makeProject(files)
    const { key, storeDir } = await pack(project)
    const store = openStoreDir(storeDir)
    await using home = makeHome()
    const pull = () => runCli(project.dir, ['template', 'pull', 'store'])
    for (const [what, change, message] of manifests) {
      execFileSync('cp', ['-a', storeDir, `${storeDir}.good`])
      store.changeManifest(key, change)
      const refused = await pull()
      expect({ what, code: refused.exitCode, text: refused.stderr }).toMatchObject({
        what,
        code: 1,
        text: expect.stringMatching(message) as string,
      })
      rmSync(storeDir, { recursive: true })
      execFileSync('mv', [`${storeDir}.good`, storeDir])
    }
    expect(existsSync('/tmp/evil')).toBe(false)
    const chunk = store.readManifest(key).chunks.toSorted((a, b) => b.bytes - a.bytes)[0]?.digest ?? ''
    const path = store.blobPath(chunk)
    const good = readFileSync(path)
    truncateSync(path, good.length - 10)
    expect((await pull()).stderr).toMatch(/is truncated/)
    writeFileSync(path, Buffer.concat([good.subarray(0, -1), Buffer.from([(good.at(-1) ?? 0) ^ 1])]))
    expect((await pull()).stderr).toMatch(/is corrupt: its hash is another/)
    rmSync(path)
    expect((await pull()).stderr).toMatch(/is missing/)
    writeFileSync(join(storeDir, 'refs', `${key}.json`), '{')
    const refused = await pull()
    expect({ code: refused.exitCode, text: refused.stderr }).toMatchObject({
      code: 1,
      text: expect.stringMatching(/refs.*is damaged/) as string,
    })
    expect(home.findLeftovers().filter((line) => line.includes('build-'))).toEqual([])
    expect(existsSync(join(home.stateDir, 'templates', key))).toBe(false)
    expect(await home.end()).toEqual([])
  })
})

test('a pull that is killed goes on where it was; a run with a damaged store builds, says so, and mends it', async () => {
  await using project = await makeProject(files)
  const { key, storeDir } = await pack(project)
  const store = openStoreDir(storeDir)
  const chunk = store.readManifest(key).chunks.toSorted((a, b) => b.bytes - a.bytes)[0]?.digest ?? ''
  const good = readFileSync(store.blobPath(chunk))
  rmSync(store.blobPath(chunk))
  await onOtherMachine(project, async (home) => {
    expect((await runCli(project.dir, ['template', 'pull', 'store'])).exitCode).toBe(1)
    process.kill(home.supervisorPid() ?? 0, 'SIGKILL')
    const fetched = readdirSync(join(home.stateDir, 'chunks'))
    expect(fetched.length).toBeGreaterThan(5)
    // These are not asked for again.
    for (const hex of fetched) rmSync(store.blobPath(`sha256:${hex}`))
    writeFileSync(store.blobPath(chunk), good)
    expect((await runCli(project.dir, ['template', 'pull', 'store'])).all).toContain('fetched template')
  })
  // Now most of it is missing in the store.
  await project.write({ 'pg-branch.config.mjs': config.replace('{ seed', "{ cache: { store: 'store' }, seed") })
  await onOtherMachine(project, async () => {
    const built = await runCli(project.dir, ['template', 'build'])
    expect(built.stderr).toMatch(/templates are not shared in this run: .* is missing/)
    expect(built.stderr).toContain('template built in')
  })
  await onOtherMachine(project, async () => {
    expect((await runCli(project.dir, ['template', 'build'])).all).toMatch(
      /template [0-9a-f]{8} fetched from .*store in/,
    )
  })
  expect(statSync(store.blobPath(chunk)).size).toBe(good.length)
})
