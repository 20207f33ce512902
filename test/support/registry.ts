import { createHash, createPrivateKey, createSign, randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { ensureDebianPackages } from '@pg-branch/bench/debian'
import { findFreePort } from '../../packages/pg-branch/dist/postgres/port.js'

export type RegistryLogin = 'none' | 'basic' | 'token'

export interface Registry {
  host: string
  /** Whom it lets in; with `none` everybody. */
  user: string
  password: string
  /** Where its blobs are. */
  dir: string
  [Symbol.asyncDispose](): Promise<void>
}

const user = 'someone'
const password = 'a:secret with spaces'
const service = 'pgb-registry'

/** Debian's docker-registry on a port of its own, with its way to log in. */
export async function startRegistry(login: RegistryLogin): Promise<Registry> {
  await ensureDebianPackages(['/usr/bin/docker-registry'], ['docker-registry'], { startServices: false })
  await ensureDebianPackages(['/usr/bin/htpasswd'], ['apache2-utils'])
  const dir = mkdtempSync(join(tmpdir(), 'pgb-registry-'))
  const port = await findFreePort()
  const tokens = login === 'token' ? await startTokenServer(dir) : undefined
  const auth: Record<RegistryLogin, string> = {
    none: '',
    basic: `auth: { htpasswd: { realm: test, path: ${dir}/htpasswd } }`,
    token: `auth: { token: { realm: "${tokens?.url}", service: ${service}, issuer: pgb-test, rootcertbundle: ${dir}/cert.pem } }`,
  }
  if (login === 'basic') {
    await execa('htpasswd', ['-Bbc', join(dir, 'htpasswd'), user, password])
  }
  const config = join(dir, 'config.yml')
  writeFileSync(
    config,
    `version: 0.1\nstorage: { filesystem: { rootdirectory: ${dir}/data } }\nhttp: { addr: "127.0.0.1:${port}" }\n${auth[login]}\n`,
  )
  const log = openSync(join(dir, 'log'), 'a')
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', log, log] })
  closeSync(log)
  const host = `127.0.0.1:${port}`
  for (let attempt = 0; ; attempt += 1) {
    if (
      await fetch(`http://${host}/v2/`).then(
        () => true,
        () => false,
      )
    )
      break
    if (attempt > 100) throw new Error(`docker-registry does not answer:\n${readFileSync(join(dir, 'log'), 'utf8')}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return {
    host,
    user,
    password,
    dir: join(dir, 'data'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await once(child, 'exit')
      tokens?.server.close()
      rmSync(dir, { recursive: true })
    },
  }
}

/** Gives out tokens as ghcr.io and others do (distribution.github.io, "Token Authentication Specification"). */
async function startTokenServer(dir: string): Promise<{ server: Server; url: string }> {
  const [keyFile, certFile] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  const files = ['-keyout', keyFile, '-out', certFile]
  await execa('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=pgb-test',
    ...files,
  ])
  const key = createPrivateKey(readFileSync(keyFile))
  const x5c = [readFileSync(certFile, 'utf8').replaceAll(/-----[^-]+-----|\s/g, '')]
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const server = createServer((request, response) => {
    const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    if (request.headers.authorization !== expected) {
      response.writeHead(401).end()
      return
    }
    const scope = new URL(request.url ?? '', 'http://localhost').searchParams.get('scope') ?? ''
    const [type, name, actions = ''] = scope.split(':')
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: 'pgb-test',
      sub: user,
      aud: service,
      nbf: now - 10,
      iat: now,
      exp: now + 300,
      jti: createHash('sha256').update(randomBytes(8)).digest('hex'),
      access: [{ type, name, actions: actions.split(',') }],
    }
    const text = `${encode({ typ: 'JWT', alg: 'RS256', x5c })}.${encode(claims)}`
    const token = `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`
    response.end(JSON.stringify({ token }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return { server, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/token` }
}
