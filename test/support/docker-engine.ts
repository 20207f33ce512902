import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { ensureDebianPackages } from '@pg-branch/bench/debian'

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
  /** SIGKILLs the daemon: containers run on until it is started again, and are then ended. */
  kill(): Promise<void>
  start(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Installs (root, Debian) and starts a real Docker Engine of our own, with the image in it. */
export async function startDockerEngine(): Promise<DockerEngine> {
  await ensureDebianPackages(['/usr/sbin/dockerd'], ['docker.io', 'iptables', 'iproute2'], { startServices: false })
  await ensureDebianPackages(['/usr/bin/mmdebstrap'], ['mmdebstrap'])
  mkdirSync(workDir, { recursive: true })
  const env = { DOCKER_HOST: `unix://${socket}`, TESTCONTAINERS_RYUK_DISABLED: 'true' }
  const docker = (...args: string[]) => execa('docker', args, { env, reject: false })
  const isUp = async () => (await docker('version')).exitCode === 0
  const start = async () => {
    // A killed daemon's containerd dies with it; dockerd takes a zombie of that number for alive, and waits for it.
    await execa('rm', ['-f', join(workDir, 'exec/containerd/containerd.pid')])
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
  const removeContainers = async () => {
    const { stdout } = await docker('ps', '--all', '--quiet')
    const ids = stdout.split('\n').filter(Boolean)
    if (ids.length > 0) await docker('rm', '--force', '--volumes', ...ids)
  }
  // What a killed test run left.
  await endEngine()
  await start()
  await removeContainers()
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
      await removeContainers()
      await endEngine()
    },
  }
}

async function endDaemon(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
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
}

/** The daemon, containerd and its shims, of this engine alone, and what they mounted. */
async function endEngine(): Promise<void> {
  await endDaemon('SIGTERM')
  const places = join(workDir, 'exec')
  // The first process of each container, with which the others end: a shim's death alone would leave them.
  const shims = await execa('pgrep', ['-f', `containerd-shim.*${places}`], { reject: false })
  for (const shim of shims.stdout.split('\n').filter(Boolean))
    await execa('pkill', ['-KILL', '-P', shim], { reject: false })
  await execa('pkill', ['-KILL', '-f', places], { reject: false })
  await execa('sh', [
    '-c',
    `grep -o ' ${workDir}/[^ ]*' /proc/mounts | sort -r | xargs -r umount -l; rm -rf ${places} ${workDir}/docker.pid`,
  ])
}
