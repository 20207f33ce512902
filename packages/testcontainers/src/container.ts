import type { ServerStart } from 'pg-branch'

export interface ContainerOptions {
  /** Where the data is: `tmpfs` (default), in memory; `volume`, on the engine's disk, for more than fits there. */
  data?: 'tmpfs' | 'volume'
  /** Files that the image runs when it makes its cluster, in the order of their names: `.sql`, `.sql.gz`, `.sh`. */
  initScripts?: string[]
  /** Further variables of the container. */
  env?: Record<string, string>
  /** Server settings, over ours, which trade safety in a crash for speed. */
  settings?: Record<string, string | number | boolean>
  /** How long the image may be pulled and take to start. Default 300,000. */
  timeoutMs?: number
}

/**
 * A server in a container, for `server` of the configuration: `server: container('pgvector/pgvector:pg18')`.
 *
 * The image must behave like the official one: `POSTGRES_USER`, `POSTGRES_PASSWORD`, `POSTGRES_DB`, data
 * below `/var/lib/postgresql`, arguments that begin with `postgres`. It is started once, by the
 * supervisor, serves all test files and reruns, and is removed when that ends, however it ends.
 */
export function container(image: string, options: ContainerOptions = {}): ServerStart {
  return {
    kind: 'start',
    label: `container ${image}`,
    module: new URL('./start.js', import.meta.url).href,
    options: { image, ...options },
  }
}
