import { existsSync } from 'node:fs'
import type { System } from './contract.ts'
import { createLinuxSystem } from './linux.ts'
import { createPortableSystem } from './portable.ts'

let known: System | undefined

/** @returns the one that fits this machine. A Linux that hides /proc has nothing that others have not. */
export function getSystem(): System {
  known ??= process.platform === 'linux' && existsSync('/proc/self/stat') ? createLinuxSystem() : createPortableSystem()
  return known
}
