import { expect, test } from 'vitest'
import { compareSchemas } from './compare-schemas.ts'

test('objects that are equal are left out, others told line by line', () => {
  const before = new Map([
    ['table public.a', ['column id integer', 'column name text']],
    ['table public.b', ['column id integer']],
    ['view public.v', ['SELECT 1']],
  ])
  const after = new Map([
    ['table public.a', ['column id integer', 'column name text NOT NULL']],
    ['table public.b', ['column id integer']],
    ['table public.c', ['column id integer']],
  ])
  expect(compareSchemas(before, after)).toEqual([
    { object: 'table public.a', change: 'changed', lines: ['- column name text', '+ column name text NOT NULL'] },
    { object: 'table public.c', change: 'added', lines: ['+ column id integer'] },
    { object: 'view public.v', change: 'removed', lines: ['- SELECT 1'] },
  ])
})

test('the order of lines counts', () => {
  const change = compareSchemas(new Map([['type public.t', ['a', 'b']]]), new Map([['type public.t', ['b', 'a']]]))
  expect(change).toHaveLength(1)
})
