import { expect, test } from 'vitest'
import { isExtension } from './layers.ts'
import type { StepPlan } from '../seed/contract.ts'

function createStep(
  inputs: Record<string, string>,
  { journal = [] as string[], rest = [] as string[] } = {},
): StepPlan {
  const additions = Object.keys(inputs).filter((name) => !journal.includes(name) && !rest.includes(name))
  return { kind: 'command', label: 'tool', database: '', fingerprint: '', inputs, additions, journal }
}

test('only files that were added at the end may run alone', () => {
  const before = createStep({ '1.sql': 'a', '2.sql': 'b' })
  expect(isExtension(before, createStep({ '1.sql': 'a', '2.sql': 'b', '3.sql': 'c' }))).toBe(true)
  expect(isExtension(before, createStep({ '1.sql': 'a', '2.sql': 'b' }))).toBe(false)
  expect(isExtension(before, createStep({ '1.sql': 'a', '1b.sql': 'c', '2.sql': 'b' }))).toBe(false)
  expect(isExtension(before, createStep({ '1.sql': 'a', '2.sql': 'changed', '3.sql': 'c' }))).toBe(false)
  expect(isExtension(before, createStep({ '1.sql': 'a', '3.sql': 'c' }))).toBe(false)
  expect(isExtension(createStep({}), createStep({ '1.sql': 'a' }))).toBe(false)
})

test('a command that changed runs whole; how SQL files are named in the configuration does not matter', () => {
  const [before, now] = [
    createStep({ '1.sql': 'a' }),
    { ...createStep({ '1.sql': 'a', '2.sql': 'b' }), label: 'other' },
  ]
  expect(isExtension(before, now)).toBe(false)
  expect(isExtension({ ...before, kind: 'sql' }, { ...now, kind: 'sql' })).toBe(true)
})

test('a journal may change with what is added, the configuration may not', () => {
  const options = { journal: ['journal'], rest: ['config'] }
  const before = createStep({ config: 'x', journal: 'j1', '1.sql': 'a' }, options)
  expect(isExtension(before, createStep({ config: 'x', journal: 'j2', '1.sql': 'a', '2.sql': 'b' }, options))).toBe(
    true,
  )
  expect(isExtension(before, createStep({ config: 'y', journal: 'j2', '1.sql': 'a', '2.sql': 'b' }, options))).toBe(
    false,
  )
  expect(isExtension(before, createStep({ config: 'x', journal: 'j2', '1.sql': 'a' }, options))).toBe(false)
})
