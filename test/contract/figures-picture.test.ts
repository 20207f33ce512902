import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const docs = fileURLToPath(new URL('../../packages/docs/', import.meta.url))

test('the picture of the figures shows what their table says', () => {
  const picture = execFileSync(process.execPath, [`${docs}draw-figures.js`, '--print'], { encoding: 'utf8' })
  expect(picture).toMatch(
    /aria-label="[^"]*10 MB: \d+ ms and \d+ ms; 1 GB: \d+ ms and \d+ ms; 10 GB: \d+ ms and \d+ s"/,
  )
  expect(readFileSync(`${docs}pages/figures.svg`, 'utf8')).toBe(picture)
})
