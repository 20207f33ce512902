const { prisma } = require('./database.js')

afterAll(() => prisma.$disconnect())

test('the migrations have run, rows and all', async () => {
  expect(await prisma.user.findMany({ select: { email: true } })).toEqual([{ email: 'ada@example.com' }])
})

test('a new user with a post', async () => {
  const data = { email: 'grace@example.com', posts: { create: { title: 'Compilers' } } }
  await prisma.user.create({ data })
  expect(await prisma.user.count()).toBe(2)
})

describe('with another user', () => {
  beforeAll(async () => {
    await prisma.user.create({ data: { email: 'alan@example.com' } })
  })

  test.each([1, 2, 3])('each test begins with the same two (%i)', async () => {
    expect(await prisma.user.count()).toBe(2)
    await prisma.user.deleteMany({})
  })
})
