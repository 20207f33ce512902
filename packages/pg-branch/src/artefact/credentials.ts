import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { createLog } from '../lib/log.ts'

const log = createLog('artefact')

export interface Credentials {
  user: string
  password: string
}

/** As far as it is needed; source: docs.docker.com, "docker login". */
interface DockerConfig {
  auths?: Record<string, { auth?: string }>
  credHelpers?: Record<string, string>
  credsStore?: string
}

/**
 * @param env of the process that asks.
 * @returns `PG_BRANCH_REGISTRY_USER` and `PG_BRANCH_REGISTRY_PASSWORD`, else what `docker login` has left.
 */
export async function findCredentials(
  host: string,
  env: Record<string, string | undefined>,
): Promise<Credentials | undefined> {
  const { PG_BRANCH_REGISTRY_USER: user, PG_BRANCH_REGISTRY_PASSWORD: password } = env
  if (user !== undefined && password !== undefined) return { user, password }
  const file = join(env.DOCKER_CONFIG ?? join(env.HOME ?? homedir(), '.docker'), 'config.json')
  try {
    const config = JSON.parse(await readFile(file, 'utf8')) as DockerConfig
    const helper = config.credHelpers?.[host] ?? config.credsStore
    return helper === undefined ? readAuth(config, host) : await askHelper(helper, host)
  } catch (error) {
    log('no credentials in %s: %O', file, error)
    return undefined
  }
}

function readAuth({ auths = {} }: DockerConfig, host: string): Credentials | undefined {
  const auth = (auths[host] ?? auths[`https://${host}`])?.auth
  if (auth === undefined) return undefined
  const [user = '', ...rest] = Buffer.from(auth, 'base64').toString('utf8').split(':')
  return { user, password: rest.join(':') }
}

/** Source: github.com/docker/docker-credential-helpers, "Development". */
async function askHelper(helper: string, host: string): Promise<Credentials | undefined> {
  const { stdout } = await execa(`docker-credential-${helper}`, ['get'], { input: host, timeout: 10_000 })
  const { Username, Secret } = JSON.parse(stdout) as { Username?: string; Secret?: string }
  return Username === undefined || Secret === undefined ? undefined : { user: Username, password: Secret }
}
