import { expect, test } from 'vitest'
import type { TemplateInfo } from './catalog.ts'
import { findEvictable } from './eviction.ts'

const now = Date.now()
const make = (key: string, { ageDays, bytes }: { ageDays: number; bytes: number }): TemplateInfo => ({
  key,
  bytes,
  isReadable: true,
  usedAt: new Date(now - ageDays * 86_400_000).toISOString(),
  description: '',
  sealed: true,
  postgres: undefined,
  createdAt: undefined,
  buildMs: undefined,
  byFastIngest: false,
})

test('what was not used for long goes, then the least recently used beyond the size', () => {
  const templates = [
    make('a', { ageDays: 0, bytes: 60 }),
    make('b', { ageDays: 1, bytes: 60 }),
    make('c', { ageDays: 2, bytes: 30 }),
    make('d', { ageDays: 9, bytes: 1 }),
  ]
  const evictable = findEvictable(templates, { maxBytes: 100, maxAgeDays: 7, inUse: new Set() })
  expect(evictable).toEqual([
    { key: 'b', bytes: 60, reason: 'beyond the 100 B of `cache.maxBytes`' },
    { key: 'd', bytes: 1, reason: 'not used for 7 days' },
  ])
})

test('what is in use stays, however old', () => {
  const templates = [make('a', { ageDays: 99, bytes: 600 })]
  expect(findEvictable(templates, { maxBytes: 1, maxAgeDays: 1, inUse: new Set(['a']) })).toEqual([])
})
