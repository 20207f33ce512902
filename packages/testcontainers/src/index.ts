/**
 * A container in place of a server.
 *
 * @module @pg-branch/testcontainers
 */
export { container, type ContainerOptions } from './container.ts'
