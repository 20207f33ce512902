export { container, type ContainerOptions } from './container.ts'
