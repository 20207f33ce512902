import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeContent } from '../../packages/pg-branch/dist/artefact/blobs.js'
import { startS3, type S3Server } from '@pg-branch/bench/s3'
import { openStore } from '../../packages/pg-branch/dist/artefact/registry.js'
import { tryOpenExchange } from '../../packages/pg-branch/dist/place/cluster/exchange.js'
import { startRegistry, type Registry } from '../support/registry.ts'
import { makeClock } from '../support/clock.ts'
import { findPids, readProcess } from '../support/processes.ts'
import { describeArtefactStore, describeHttpStore } from './artefact-store.ts'

const testDir = fileURLToPath(new URL('..', import.meta.url))

describe('directory', () => {
  let dir = ''
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'pgb-store-'))
  })
  afterAll(() => rmSync(dir, { recursive: true }))
  describeArtefactStore({ open: () => openStore('templates', { baseDir: dir, env: {} }) })

  test('its directories are as the store is, whatever the umask', async () => {
    const shared = join(dir, 'shared')
    mkdirSync(shared)
    chmodSync(shared, 0o777)
    const umask = process.umask(0o077)
    try {
      const content = Buffer.from('x')
      const blob = describeContent(content)
      await openStore('shared', { baseDir: dir, env: {} }).writeBlob(blob, content)
      const found = readdirSync(shared, { recursive: true, withFileTypes: true })
      const modes = found.map((entry) => [
        entry.isDirectory(),
        statSync(join(entry.parentPath, entry.name)).mode & 0o777,
      ])
      expect(modes).toEqual([
        [true, 0o777],
        [true, 0o777],
        [true, 0o777],
        [false, 0o644],
      ])
    } finally {
      process.umask(umask)
    }
  })

  test('what is no directory is refused', async () => {
    writeFileSync(join(dir, 'file'), '')
    const content = Buffer.from('x')
    await expect(
      openStore('file', { baseDir: dir, env: {} }).writeBlob(describeContent(content), content),
    ).rejects.toMatchObject({ code: 'PGB_STORE' })
  })
})

describe.each(['none', 'basic', 'token'] as const)('OCI registry, login: %s', (login) => {
  let registry: Registry
  beforeAll(async () => {
    registry = await startRegistry(login)
  })
  afterAll(() => registry[Symbol.asyncDispose]())
  const open = (env: Record<string, string>) =>
    openStore(`oci://${registry.host}/some/templates`, { baseDir: '/', env })

  describeArtefactStore({
    open: () => open({ PG_BRANCH_REGISTRY_USER: registry.user, PG_BRANCH_REGISTRY_PASSWORD: registry.password }),
  })

  test('the login of `docker login` is used', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'pgb-docker-'))
    const auth = Buffer.from(`${registry.user}:${registry.password}`).toString('base64')
    writeFileSync(join(dir, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }))
    expect(await open({ DOCKER_CONFIG: dir }).readRef('nothing')).toBeUndefined()
    rmSync(dir, { recursive: true })
  })

  // The login that takes most requests.
  if (login === 'token') {
    describeHttpStore({
      getOrigin: () => `http://${registry.host}`,
      open: (origin) =>
        openStore(`oci://${new URL(origin).host}/some/templates`, {
          baseDir: '/',
          env: { PG_BRANCH_REGISTRY_USER: registry.user, PG_BRANCH_REGISTRY_PASSWORD: registry.password },
        }),
    })
  }

  if (login === 'none') return
  test('without it, or with a wrong one, the error says how to log in', async () => {
    for (const env of [
      { DOCKER_CONFIG: '/nonexistent' },
      { PG_BRANCH_REGISTRY_USER: 'someone', PG_BRANCH_REGISTRY_PASSWORD: 'wrong' },
    ]) {
      await expect(open(env).readRef('nothing')).rejects.toMatchObject({
        code: 'PGB_STORE',
        message: expect.stringMatching(/answered 401 .*docker login 127\.0\.0\.1/s) as string,
      })
    }
  })
})

describe('S3', () => {
  let server: S3Server
  beforeAll(async () => {
    server = await startS3()
  })
  afterAll(() => server[Symbol.asyncDispose]())
  const nowhere = { HOME: '/nonexistent', PATH: process.env.PATH, AWS_EC2_METADATA_DISABLED: 'true' }
  const openAt = (
    { origin = server.origin, bucket = server.bucket }: { origin?: string; bucket?: string },
    env: Record<string, string> = server.env,
  ) => openStore(`s3://${bucket}/some/templates?endpoint=${origin}`, { baseDir: testDir, env: { ...nowhere, ...env } })

  describeArtefactStore({ open: () => openAt({}) })
  describeHttpStore({ getOrigin: () => server.origin, open: (origin) => openAt({ origin }) })

  test('credentials and endpoint are found as by the AWS tools', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'pgb-aws-'))
    const files = { AWS_CONFIG_FILE: join(dir, 'config'), AWS_SHARED_CREDENTIALS_FILE: join(dir, 'credentials') }
    writeFileSync(files.AWS_CONFIG_FILE, '[profile ci]\nregion = us-east-1\n')
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = server.env
    const lines = `[ci]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`
    writeFileSync(files.AWS_SHARED_CREDENTIALS_FILE, lines)
    const env = { ...nowhere, ...files, AWS_PROFILE: 'ci', AWS_ENDPOINT_URL_S3: server.origin }
    const store = openStore(`s3://${server.bucket}`, { baseDir: testDir, env })
    expect(await store.readRef('nothing')).toBeUndefined()
    rmSync(dir, { recursive: true })
  })

  test.each<[string, Record<string, string>, RegExp]>([
    [
      'no credentials',
      {},
      /s3:\/\/pg-branch-test\/some\/templates cannot be reached: CredentialsProviderError.*AWS_PROFILE/s,
    ],
    [
      'a wrong secret',
      { AWS_ACCESS_KEY_ID: 'test:tester', AWS_SECRET_ACCESS_KEY: 'x' },
      /answered 403: SignatureDoesNotMatch/,
    ],
    ['a stranger', { AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'x' }, /answered 403: \w+/],
  ])('%s: the error says what is missing', async (_name, env, message) => {
    await expect(openAt({}, env).readRef('nothing')).rejects.toMatchObject({
      code: 'PGB_STORE',
      message: expect.stringMatching(message) as string,
    })
  })

  test('a bucket that is not there is named, in every call that can tell', async () => {
    const store = openAt({ bucket: 'no-such-bucket' })
    const content = Buffer.from('x')
    const blob = describeContent(content)
    for (const call of [() => store.readRef('x'), () => store.readBlob(blob), () => store.writeBlob(blob, content)]) {
      await expect(call()).rejects.toMatchObject({
        code: 'PGB_STORE',
        message: expect.stringMatching(/answered 404: NoSuchBucket.*Make the bucket/s) as string,
      })
    }
  })

  test('the process of a store shows nothing of its address or credentials to other users', async () => {
    const store = openStore(`s3://someone:hush@${server.bucket}/x?endpoint=${server.origin}`, {
      baseDir: testDir,
      env: { ...nowhere, ...server.env },
    })
    const asked = store.readRef('x').catch((error: unknown) => String(error))
    const commands = await expect
      .poll(() => findPids((pid) => readProcess(pid, 'cmdline').includes('store-main')).length, { interval: 5 })
      .toBeGreaterThan(0)
      .then(() => findPids((pid) => readProcess(pid, 'cmdline').includes('store-main')))
    for (const pid of commands) expect(readProcess(pid, 'cmdline')).not.toMatch(/hush|endpoint/)
    expect(await asked).not.toContain('hush')
  })

  test('a clock that is hours off is no reason', async () => {
    using clock = await makeClock()
    clock.set('+5h')
    const { env: faked } = clock
    const env = Object.fromEntries(
      Object.entries({ ...faked, ...server.env }).filter(([, value]) => value !== undefined),
    )
    const store = openAt({}, env as Record<string, string>)
    const content = Buffer.from('late')
    await store.writeBlob(describeContent(content), content)
    expect((await store.readBlob(describeContent(content)))?.toString()).toBe('late')
  })

  test.each([
    ['s3://', /names no bucket/],
    ['s3://Not_A_Bucket/x', /names no bucket/],
    ['s3://someone:secret@bucket/x', /names no bucket/],
    ['s3://bucket/x?endpoint=ftp://x', /no URL of http or https/],
    ['s3://bucket/x?endpiont=https://x', /has "endpiont" in its query/],
    ['s3://bucket/x?endpoint=https://x&pathStyle=1', /neither true nor false/],
    ['s3://bucket/x', /no region is known/],
  ])('%s is refused', async (name, message) => {
    const error: unknown = await openStore(name, { baseDir: testDir, env: { ...nowhere, ...server.env } })
      .readRef('x')
      .catch((thrown: unknown) => thrown)
    expect(String(error)).toMatch(message)
    expect(String(error)).not.toContain('secret')
  })
})

test('without its package, a bucket is refused by name; once it is there, the same process finds it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'pgb-project-'))
  const open = () => openStore('s3://bucket/x', { baseDir: dir, env: { PATH: process.env.PATH } })
  expect(open).toThrow(/needs the package @pg-branch\/s3.*npm i -D/s)
  // Of a run it costs a line.
  const plan = { config: { baseDir: dir, cache: {} } }
  expect(tryOpenExchange('s3://bucket/x', { plan, env: {} } as never)).toEqual({
    notices: [expect.stringMatching(/^templates are not shared in this run: .*needs the package/) as string],
  })
  mkdirSync(join(dir, 'node_modules/@pg-branch'), { recursive: true })
  symlinkSync(realpathSync(join(testDir, 'node_modules/@pg-branch/s3')), join(dir, 'node_modules/@pg-branch/s3'))
  await expect(open().readRef('x')).rejects.toThrow(/no region is known/)
  rmSync(dir, { recursive: true })
})

test('where a registry redirects to is not told its password', async () => {
  const heard: Array<string | undefined> = []
  const listenWith = async (handle: RequestListener) => {
    const server = createServer(handle).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}` }
  }
  const elsewhere = await listenWith((request, response) => {
    heard.push(request.headers.authorization)
    response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${elsewhere.host}/token"` }).end('{}')
  })
  const registry = await listenWith((request, response) => {
    response.writeHead(307, { location: `http://${elsewhere.host}${request.url}` }).end()
  })
  const env = { PG_BRANCH_REGISTRY_USER: 'someone', PG_BRANCH_REGISTRY_PASSWORD: 'hush' }
  const store = openStore(`oci://${registry.host}/some/templates`, { baseDir: '/', env })
  await expect(store.readBlob(describeContent(Buffer.from('x')))).rejects.toMatchObject({ code: 'PGB_STORE' })
  expect(heard).toEqual([undefined])
  for (const { server } of [registry, elsewhere]) server.close().closeAllConnections()
})

test('a registry that is not there is named, after some tries', async () => {
  await expect(openStore('oci://127.0.0.1:1/x/y', { baseDir: '/', env: {} }).readRef('x')).rejects.toMatchObject({
    code: 'PGB_STORE',
    message: expect.stringContaining('127.0.0.1:1 cannot be reached') as string,
  })
})

test.each([
  ['gs://bucket/x', /is no template store/],
  ['oci://ghcr.io', /names no repository/],
  ['oci://ghcr.io/You/App', /names no repository/],
  ['oci://ghcr.io/you/app:tag', /names no repository/],
])('%s is refused', (name, message) => {
  expect(() => openStore(name, { baseDir: '/', env: {} })).toThrow(message)
})
