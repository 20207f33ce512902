import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { ensureDebianPackages } from './debian.ts'

export interface S3Server {
  origin: string
  bucket: string
  /** How whoever may use it is known. */
  env: Record<string, string>
  /** What must be seen nowhere. */
  secret: string
  [Symbol.asyncDispose](): Promise<void>
}

const script = fileURLToPath(new URL('../s3-server.sh', import.meta.url))
const packages = ['swift-proxy', 'swift-account', 'swift-container', 'swift-object', 'memcached', 'curl']
/** The script takes the port that it is given, and nine above it. */
const portsNeeded = 10

/** OpenStack Swift with its S3 API, from Debian's packages. It has no conditional puts, as some stores in the wild. */
export async function startS3(): Promise<S3Server> {
  await ensureDebianPackages(['/usr/bin/swift-proxy-server'], packages, { startServices: false })
  const dir = mkdtempSync(join(tmpdir(), 'pgb-s3-'))
  const port = await findPorts()
  const child = spawn(script, [dir, String(port)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => output.push(String(text)))
  const exited = once(child, 'exit')
  const isStarted = await Promise.race([once(child.stdout, 'data').then(() => true), exited.then(() => false)])
  if (!isStarted) throw new Error(`the S3 server did not start:\n${output.join('')}`)
  const origin = `http://127.0.0.1:${port}`
  const credentials = { accessKeyId: 'test:tester', secretAccessKey: 'a-secret-for-tests' }
  const bucket = 'pg-branch-test'
  // On a busy machine it has not found its own parts yet.
  const client = new S3Client({
    endpoint: origin,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials,
    maxAttempts: 12,
  })
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
  return {
    origin,
    bucket,
    env: { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
    secret: credentials.secretAccessKey,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await exited
      rmSync(dir, { recursive: true })
    },
  }
}

/** @returns a port that is free, as are those above it. */
async function findPorts(): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000)
    const all = Array.from({ length: portsNeeded }, (_, index) => isFree(first + index))
    if ((await Promise.all(all)).every(Boolean)) return first
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
