import { readFile } from 'node:fs/promises'
import { PGlite } from '@electric-sql/pglite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { getBalance, open } from '../src/accounts.js'

let database: PGlite
beforeEach(async () => {
  database = new PGlite()
  await database.exec(await readFile('migrations/001_accounts.sql', 'utf8'))
})
afterEach(() => database.close())

test('a new account is empty', async () => {
  expect(await open(database, 'Edsger')).toBe(3)
  expect(await getBalance(database, 'Edsger')).toBe(0)
})

test('the next test does not see it', async () => {
  expect(await getBalance(database, 'Edsger')).toBeUndefined()
})
