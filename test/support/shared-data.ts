import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test, type TestAPI } from 'vitest'

/** Real databases beside the repository, which a clone elsewhere does not have. */
export const dataDir = fileURLToPath(new URL('../../../shared/data', import.meta.url))

const isThere = existsSync(dataDir)
if (!isThere) console.warn(`SKIPPED: tests with Pagila, Northwind and Chinook need ${dataDir}`)

/** `test`, where the data is there. In CI nothing is skipped: there it fails without. */
export const testWithData: ReturnType<TestAPI['runIf']> = test.runIf(isThere || process.env.CI !== undefined)
