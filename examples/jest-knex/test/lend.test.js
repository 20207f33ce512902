const { knex, lend } = require('../src/library.js')

afterAll(() => knex.destroy())

test('lends the last copy once', async () => {
  expect(await lend(1, 'Ada')).toBe(1)
  await expect(lend(1, 'Grace')).rejects.toThrow('no copy is left')
})
