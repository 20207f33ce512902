import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('every error code has an entry among the docs that says something, and there is no entry of another', () => {
  const source = read('packages/pg-branch/src/lib/errors.ts')
  const codes = [...source.matchAll(/^ {2}\| '(PGB_\w+)'$/gm)].map(([, code = '']) => code).toSorted()
  // A heading, and all that stands below it up to the next.
  const entries = [...read('packages/docs/pages/errors.md').matchAll(/^### (\w+)\n+([^#]*)/gm)]
  expect(entries.map(([, code = '']) => code).toSorted()).toEqual(codes)
  const empty = entries.filter(([, , text = '']) => text.trim().length < 60).map(([, code = '']) => code)
  expect(empty).toEqual([])
})
