import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { prisma } from '../src/database.ts'
import { countPosts, publish } from '../src/posts.ts'

afterAll(() => prisma.$disconnect())

test('the migrations have run, rows and all', async () => {
  expect(await prisma.user.findMany({ select: { email: true } })).toEqual([{ email: 'ada@example.com' }])
})

test('a post of a new author', async () => {
  expect(await publish('grace@example.com', 'Compilers')).toEqual({ id: 1, title: 'Compilers' })
  expect(await prisma.user.count()).toBe(2)
})

test('the next test has neither', async () => {
  expect(await prisma.user.count()).toBe(1)
  expect(await publish('grace@example.com', 'Compilers')).toEqual({ id: 1, title: 'Compilers' })
})

test('what fails in a transaction leaves nothing', async () => {
  const failing = prisma.$transaction([
    prisma.user.create({ data: { email: 'one@example.com' } }),
    prisma.user.create({ data: { email: 'ada@example.com' } }),
  ])
  await expect(failing).rejects.toMatchObject({ code: 'P2002' })
  expect(await prisma.user.count()).toBe(1)
})

describe('with posts', () => {
  beforeAll(async () => {
    await Promise.all(['Notes', 'More notes'].map((title) => publish('ada@example.com', title)))
  })

  test.each([1, 2, 3])('each test begins with two of them (%i)', async () => {
    expect(await countPosts('ada@example.com')).toBe(2)
    await publish('ada@example.com', 'Even more')
    expect(await countPosts('ada@example.com')).toBe(3)
  })
})
