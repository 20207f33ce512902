import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeContent } from '../../packages/pg-branch/dist/artefact/blobs.js'
import { openStore } from '../../packages/pg-branch/dist/artefact/registry.js'
import { startRegistry, type Registry } from '../support/registry.ts'
import { describeArtefactStore } from './artefact-store.ts'

describe('directory', () => {
  let dir = ''
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'pgb-store-'))
  })
  afterAll(() => rmSync(dir, { recursive: true }))
  describeArtefactStore({ open: () => openStore('templates', { baseDir: dir, env: {} }) })

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

test('a registry that is not there is named, after some tries', async () => {
  await expect(openStore('oci://127.0.0.1:1/x/y', { baseDir: '/', env: {} }).readRef('x')).rejects.toMatchObject({
    code: 'PGB_STORE',
    message: expect.stringContaining('127.0.0.1:1 cannot be reached') as string,
  })
})

test.each([
  ['s3://bucket/x', /is no template store/],
  ['oci://ghcr.io', /names no repository/],
  ['oci://ghcr.io/You/App', /names no repository/],
  ['oci://ghcr.io/you/app:tag', /names no repository/],
])('%s is refused', (name, message) => {
  expect(() => openStore(name, { baseDir: '/', env: {} })).toThrow(message)
})
