import { randomBytes } from 'node:crypto'
import { basename, resolve } from 'node:path'
import type { ServerModule } from 'pg-branch'
import { PgBranchError } from 'pg-branch/node'
import { GenericContainer, Wait, getContainerRuntimeClient, type ContainerRuntimeClient } from 'testcontainers'
import type { ContainerOptions } from './container.ts'

const port = 5432
const dataDir = '/var/lib/postgresql/data'

/** Nothing here outlives the container: a crash may lose it all. */
const defaultSettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: 200,
}

async function getRuntime(): Promise<ContainerRuntimeClient> {
  try {
    return await getContainerRuntimeClient()
  } catch (error) {
    throw new PgBranchError(
      `no container engine was found: ${error instanceof Error ? error.message : String(error)}`,
      {
        code: 'PGB_NO_PROVIDER',
        hint: 'Start Docker (or set DOCKER_HOST), or leave out `server`: the provider `embedded` needs no container, `system` takes the Postgres that is installed here.',
        cause: error,
      },
    )
  }
}

/** Starts the container `name`. @throws PgBranchError `PGB_NO_PROVIDER` without an engine, `PGB_SERVER` with what the container wrote. */
export const startServer: ServerModule['startServer'] = async (given, { name, baseDir }) => {
  const {
    image,
    data = 'tmpfs',
    initScripts = [],
    env = {},
    settings = {},
    timeoutMs = 300_000,
  } = given as unknown as ContainerOptions & { image: string }
  await getRuntime()
  const password = randomBytes(16).toString('hex')
  const args = Object.entries({ ...defaultSettings, ...settings }).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  const output: string[] = []
  const configured = new GenericContainer(image)
    .withName(name)
    // Its own, since images differ in where they put it, and below one directory in all of them.
    .withEnvironment({
      PGDATA: `${dataDir}/pg-branch`,
      ...env,
      POSTGRES_USER: 'postgres',
      POSTGRES_PASSWORD: password,
      POSTGRES_DB: 'postgres',
    })
    .withCommand(['postgres', ...args])
    .withExposedPorts(port)
    .withLabels({ 'dev.pg-branch': name })
    .withCopyFilesToContainer(
      initScripts.map((file) => ({
        source: resolve(baseDir, file),
        target: `/docker-entrypoint-initdb.d/${basename(file)}`,
      })),
    )
    // While the image makes its cluster, its server listens on a socket only.
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(timeoutMs)
    .withLogConsumer((stream) => stream.on('data', (line) => output.push(String(line))))
  try {
    const started = await (data === 'tmpfs' ? configured.withTmpFs({ [dataDir]: 'rw' }) : configured).start()
    return { url: `postgresql://postgres:${password}@${started.getHost()}:${started.getMappedPort(port)}/postgres` }
  } catch (error) {
    await removeServer(name)
    const shown = output.join('').trimEnd().split('\n').slice(-15).join('\n')
    throw new PgBranchError(
      `the container ${image} did not start: ${error instanceof Error ? error.message : String(error)}\n${shown}`,
      {
        code: 'PGB_SERVER',
        hint: 'The lines above are from the engine and the container. The image must behave like the official `postgres` image.',
        cause: error,
      },
    )
  }
}

/** Removes the container `name` with its data; one that is gone is not an error. */
export const removeServer: ServerModule['removeServer'] = async (name) => {
  const { container } = await getRuntime()
  const { dockerode } = container as unknown as {
    dockerode: { getContainer(id: string): { remove(options: object): Promise<void> } }
  }
  try {
    await dockerode.getContainer(name).remove({ force: true, v: true })
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode !== 404) throw error
  }
}
