import { lstatSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { getErrorCode } from './errors.ts'

/**
 * Makes a directory and those above it that are missing. Unlike `mkdir` with `recursive`, which says of a full disk
 * that the directory is not there, it throws the system's own error.
 */
export function makeDirs(path: string, mode?: number): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return
  if (dirname(path) !== path) makeDirs(dirname(path), mode)
  try {
    mkdirSync(path, mode)
  } catch (error) {
    // Somebody else was faster.
    if (getErrorCode(error) !== 'EEXIST') throw error
  }
}
