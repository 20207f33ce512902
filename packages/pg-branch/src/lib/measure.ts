import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** @returns bytes of the blocks allocated to all files below `path`, shared or not. */
export async function measureAllocatedBytes(path: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    try {
      bytes += (await lstat(join(entry.parentPath, entry.name))).blocks * 512
    } catch {
      // A running server removes files while we look.
    }
  }
  return bytes
}
