import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { ensureDebianPackages } from './debian.ts'

const workDir = '/tmp/pgb-docker'
const socket = join(workDir, 'docker.sock')
const imageScript = fileURLToPath(new URL('./docker/image.sh', import.meta.url))

/** An image that behaves like the official one, with Debian's PostgreSQL 15 and PostGIS. */
export const postgisImage = 'pgb/postgis:15'

export interface DockerEngine {
  /** Variables with which clients find it. Ryuk is off: its image cannot be had here. */
  readonly env: { DOCKER_HOST: string; TESTCONTAINERS_RYUK_DISABLED: string }
  /** Names of all containers, stopped ones too. */
  listContainers(): Promise<string[]>
  /** SIGKILLs the daemon and everything that it runs. */
  kill(): Promise<void>
  start(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Installs (root, Debian) and starts a real Docker Engine of our own, with the image in it. */
export async function startDockerEngine(): Promise<DockerEngine> {
  await ensureDebianPackages('/usr/sbin/dockerd', ['docker.io', 'iptables', 'iproute2'], { startServices: false })
  await ensureDebianPackages('/usr/bin/mmdebstrap', ['mmdebstrap'])
  mkdirSync(workDir, { recursive: true })
  const env = { DOCKER_HOST: `unix://${socket}`, TESTCONTAINERS_RYUK_DISABLED: 'true' }
  const docker = (...args: string[]) => execa('docker', args, { env, reject: false })
  const isUp = async () => (await docker('version')).exitCode === 0
  const start = async () => {
    await endDaemon()
    const log = openSync(join(workDir, 'dockerd.log'), 'a')
    const places = [
      '--data-root',
      join(workDir, 'data'),
      '--exec-root',
      join(workDir, 'exec'),
      '--pidfile',
      join(workDir, 'docker.pid'),
    ]
    spawn('dockerd', [...places, '-H', `unix://${socket}`, '--group', 'root'], {
      detached: true,
      stdio: ['ignore', log, log],
    }).unref()
    closeSync(log)
    for (let attempt = 0; !(await isUp()); attempt += 1) {
      if (attempt > 150)
        throw new Error(`dockerd does not answer:\n${readFileSync(join(workDir, 'dockerd.log'), 'utf8').slice(-3000)}`)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  await start()
  await execa(imageScript, [workDir], { env })
  return {
    env,
    async listContainers() {
      const { stdout } = await docker('ps', '--all', '--format', '{{.Names}}')
      return stdout.split('\n').filter(Boolean)
    },
    kill: () => endDaemon('SIGKILL'),
    start,
    [Symbol.asyncDispose]: async () => {
      const { stdout } = await docker('ps', '--all', '--quiet')
      const ids = stdout.split('\n').filter(Boolean)
      if (ids.length > 0) await docker('rm', '--force', '--volumes', ...ids)
      await endDaemon()
    },
  }
}

async function endDaemon(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  const file = join(workDir, 'docker.pid')
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  const isDaemon = () => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'dockerd'
    } catch {
      return false
    }
  }
  if (pid > 0 && isDaemon()) {
    process.kill(pid, signal)
    while (isDaemon()) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  // containerd and its shims, of this engine alone, which a SIGKILL leaves behind.
  await execa('pkill', ['-KILL', '-f', join(workDir, 'exec')], { reject: false })
  await execa('rm', ['-f', file], { reject: false })
}
