import { relative } from 'node:path'
import { hashFile } from '../lib/hash.ts'

/** @returns the hash of each file, by its path relative to `baseDir`. */
export async function hashFiles(files: string[], baseDir: string): Promise<Record<string, string>> {
  const hashes: Array<[string, string]> = []
  for (const file of files) hashes.push([relative(baseDir, file), await hashFile(file)])
  return Object.fromEntries(hashes)
}
