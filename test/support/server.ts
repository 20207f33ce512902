import { existsSync, mkdtempSync } from 'node:fs'
import { chmod, rm, writeFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { execa } from 'execa'
import { dirname, join } from 'node:path'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startCluster, type Cluster } from '../../packages/pg-branch/dist/postgres/cluster.js'
import { findFreePort } from '../../packages/pg-branch/dist/postgres/port.js'
import { initCluster } from '../../packages/pg-branch/dist/postgres/initdb.js'
import { locatePostgres } from '../../packages/pg-branch/dist/postgres/registry.js'
import { ensureDebianPackages } from '@pg-branch/bench/debian'
import { createCopyDriver } from '../../packages/pg-branch/dist/volume/drivers/copy.js'
import { query } from './query.ts'

const testDir = dirname(dirname(fileURLToPath(import.meta.url)))
const binariesDir = join(tmpdir(), 'pgb-test-postgres')

export interface TestServer {
  /** Of its superuser. */
  readonly url: string
  query(text: string): Promise<Array<Record<string, unknown>>>
  /** Names of the databases that are there, those of initdb left out. */
  listDatabases(): Promise<string[]>
  restart(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A server of the user's own: started by hand, not through anything that is tested. */
export async function makeServer({ settings = {} }: { settings?: Record<string, string> } = {}): Promise<TestServer> {
  const dir = mkdtempSync(join(tmpdir(), 'pgb-server-'))
  await chmod(dir, 0o711)
  const { binaries } = await locatePostgres({
    provider: 'embedded',
    version: undefined,
    bin: undefined,
    baseDir: testDir,
    binariesDir,
  })
  const dataDir = join(dir, 'data')
  const password = 'a:b\\c'
  await createCopyDriver().create(dataDir)
  const initdb = { locale: undefined, localeProvider: undefined, encoding: 'UTF8' }
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off', ...settings }
  await initCluster({ binaries, dataDir, settings: all, initdb })
  let cluster: Cluster = await startCluster({ binaries, dataDir, logFile: join(dir, 'log') })
  const admin = new pg.Client({ host: cluster.socketHost, port: cluster.port, user: 'postgres', database: 'postgres' })
  await admin.connect()
  await admin.query(`ALTER ROLE postgres PASSWORD ${pg.escapeLiteral(password)}`)
  await admin.end()
  const { port } = cluster
  const url = `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`
  return {
    url,
    query: (text) => query(url, text),
    async listDatabases() {
      const rows = await query(
        url,
        "SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1') ORDER BY 1",
      )
      return rows.map(({ datname }) => String(datname))
    },
    async restart() {
      await cluster.stop('clean')
      cluster = await startCluster({ binaries, dataDir, logFile: join(dir, 'log'), port })
    },
    async [Symbol.asyncDispose]() {
      await cluster.stop('discard')
      await rm(dir, { recursive: true, force: true })
    },
  }
}

const pgBouncer = '/usr/sbin/pgbouncer'

/** A real PgBouncer before a server; Debian's package is installed if it is missing (root). */
export async function makePgBouncer(serverUrl: string): Promise<{ url: string } & AsyncDisposable> {
  const isNew = !existsSync(pgBouncer)
  await ensureDebianPackages([pgBouncer], ['pgbouncer'])
  // The package starts one for the whole machine.
  if (isNew) await execa('pkill', ['-x', 'pgbouncer'], { reject: false })
  const dir = mkdtempSync(join(tmpdir(), 'pgb-bouncer-'))
  await chmod(dir, 0o755)
  const { hostname, port, username, password } = new URL(serverUrl)
  const listenPort = await findFreePort()
  await writeFile(join(dir, 'users'), `"${username}" "${decodeURIComponent(password)}"\n`)
  await writeFile(
    join(dir, 'pgbouncer.ini'),
    `[databases]
* = host=${hostname} port=${port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = plain
auth_file = ${dir}/users
pool_mode = transaction
`,
  )
  const bouncer = execa(pgBouncer, ['-u', 'nobody', join(dir, 'pgbouncer.ini')], { reject: false })
  await setTimeout(500)
  const url = new URL(serverUrl)
  url.port = String(listenPort)
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      bouncer.kill('SIGQUIT')
      await bouncer
      await rm(dir, { recursive: true, force: true })
    },
  }
}
