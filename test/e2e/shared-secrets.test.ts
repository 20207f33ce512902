import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { startCluster } from '../../packages/pg-branch/dist/postgres/cluster.js'
import { openStoreDir } from '../support/artefact.ts'
import { leaseBranch } from '../support/branch.ts'
import { runCli, runJson } from '../support/cli.ts'
import { makeHome } from '../support/home.ts'
import { findPids, readProcess } from '../support/processes.ts'
import { makeProject, usersTable } from '../support/project.ts'

const files = { 'migrations/1.sql': usersTable }

describe('what is shared lets nobody in', () => {
  test('neither a manifest nor a template holds a secret, and no fork of it takes a guess', async () => {
    await using home = makeHome()
    await using project = await makeProject({
      ...files,
      'pg-branch.config.mjs':
        "export default { user: { name: 'app' }, seed: [{ kind: 'sql', globs: ['migrations/*.sql'] }] }",
    })
    const { key } = await runJson<{ key: string }>(project.dir, ['template', 'pack', 'store'])
    const store = openStoreDir(join(project.dir, 'store'))
    expect(JSON.stringify(store.readManifest(key))).not.toMatch(/password|secret/i)
    {
      await using branch = await leaseBranch(project.dir)
      // The superuser's way in is no password.
      const { stdout } = await runCli(project.dir, ['status', '--json'])
      expect(stdout).not.toMatch(/"password"/)
      expect(branch.url).toMatch(/^postgresql:\/\/app:/)
    }
    expect(await home.end()).toEqual([])
    // What somebody sees who has the files.
    const dataDir = join(mkdtempSync(join(tmpdir(), 'pgb-thief-')), 'data')
    execFileSync('cp', ['-a', join(home.stateDir, 'templates', key, 'data'), dataDir])
    chmodSync(join(dataDir, '..'), 0o711)
    expect(readFileSync(join(dataDir, 'pg_hba.conf'), 'utf8')).not.toMatch(/^host.*(trust|password|md5)$/m)
    const [build] = readdirSync(join(home.stateDir, 'postgres'))
    const binDir = join(home.stateDir, 'postgres', build ?? '', 'bin')
    const cluster = await startCluster({ binaries: { binDir } as never, dataDir, logFile: join(dataDir, '..', 'log') })
    try {
      for (const user of ['postgres', 'app']) {
        for (const password of ['', 'postgres', 'app', 'pg-branch']) {
          const client = new pg.Client({ host: '127.0.0.1', port: cluster.port, user, password, database: 'postgres' })
          await expect(client.connect()).rejects.toThrow(/password/)
          await client.end().catch(() => {})
        }
      }
    } finally {
      await cluster.stop('discard')
      rmSync(join(dataDir, '..'), { recursive: true })
    }
  })

  const makeKeys = () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    return {
      secret: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      shown: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    }
  }

  test('signatures: what no trusted key has signed is refused by name, and built here', async () => {
    const [ours, other] = [makeKeys(), makeKeys()]
    await using project = await makeProject({
      ...files,
      'pg-branch.config.mjs': `export default {
        seed: [{ kind: 'sql', globs: ['migrations/*.sql'] }],
        cache: { trustedKeys: { ci: '${ours.shown}' } },
      }`,
    })
    const storeDir = join(project.dir, 'store')
    const refPath = (key: string) => join(storeDir, 'refs', `${key}.json`)
    const push = (secret: string | undefined) =>
      runJson<{ key: string }>(project.dir, ['template', 'push', storeDir, '--force'], {
        PG_BRANCH_SIGNING_KEY: secret ?? '',
      })
    const onOther = async (check: (result: { exitCode?: number | undefined; stderr: string }) => void) => {
      await using home = makeHome()
      check(await runCli(project.dir, ['template', 'pull', storeDir]))
      expect(await home.end()).toEqual([])
    }
    await using home = makeHome()
    const { key } = await push(ours.secret)
    // What outlives the command does not have the key.
    const remaining = findPids((pid) => readProcess(pid, 'environ').includes(`PG_BRANCH_HOME=${home.dir}\0`))
    expect(remaining).toContain(home.supervisorPid())
    for (const pid of remaining) expect(readProcess(pid, 'environ')).not.toContain('SIGNING_KEY')
    const signed = readFileSync(refPath(key), 'utf8')
    await onOther(({ exitCode, stderr }) => expect(exitCode, stderr).toBe(0))
    await push(undefined)
    await onOther(({ exitCode, stderr }) => {
      expect(exitCode).not.toBe(0)
      expect(stderr).toMatch(/is not signed\n.*trusts ci.*PGB_ARTEFACT/s)
    })
    await push(other.secret)
    await onOther(({ exitCode, stderr }) => {
      expect(exitCode).not.toBe(0)
      expect(stderr).toMatch(/is signed by the key [0-9a-f]{16}, which is not trusted/)
    })
    // A signature of ours, put beside another manifest.
    const forged = {
      ...(JSON.parse(readFileSync(refPath(key), 'utf8')) as object),
      annotations: (JSON.parse(signed) as { annotations: object }).annotations,
    }
    openStoreDir(storeDir).changeManifest(key, (manifest) => void (manifest.platform += ' '))
    writeFileSync(
      refPath(key),
      JSON.stringify({
        ...forged,
        manifest: (JSON.parse(readFileSync(refPath(key), 'utf8')) as { manifest: object }).manifest,
      }),
    )
    await onOther(({ exitCode, stderr }) => {
      expect(exitCode).not.toBe(0)
      expect(stderr).toMatch(/is not what ci has signed/)
    })
    // Of a run it costs a line.
    {
      await using _fresh = makeHome()
      process.env.PG_BRANCH_STORE = storeDir
      try {
        await using branch = await leaseBranch(project.dir)
        expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
        expect(branch.notices.join()).toMatch(/is not what ci has signed/)
      } finally {
        delete process.env.PG_BRANCH_STORE
      }
    }
    process.env.PG_BRANCH_HOME = home.dir
    const bad = await runCli(project.dir, ['template', 'push', storeDir], { env: { PG_BRANCH_SIGNING_KEY: 'sesame' } })
    expect(bad.exitCode).toBe(1)
    expect(bad.stderr).toMatch(/PG_BRANCH_SIGNING_KEY is not a private key of Ed25519/)
    expect(bad.all + home.readLog()).not.toContain('sesame')
  })
})
