import { readFileSync, writeFileSync } from 'node:fs'

const file = '/proc/sys/fs/protected_symlinks'

/** As it is: the global set-up puts it back when all tests are done. */
export const readSymlinkProtection = (): string => readFileSync(file, 'utf8').trim()

/**
 * Tells the kernel whether it follows other users' links in sticky folders such as `/tmp`: 1 is Debian's
 * setting, 0 the kernel's own (sysctl/fs.rst of the kernel's documentation). Nothing may depend on it.
 */
export function setSymlinkProtection(value: string): void {
  if (readSymlinkProtection() !== value) writeFileSync(file, value)
}

/** Both, or the present one with a warning where it cannot be set, as in a container. */
export const symlinkProtections: string[] = listSettable()

function listSettable(): string[] {
  const present = readSymlinkProtection()
  try {
    writeFileSync(file, present)
    return ['0', '1']
  } catch (error) {
    console.warn(`tried with fs.protected_symlinks = ${present} only: ${(error as Error).message}`)
    return [present]
  }
}
