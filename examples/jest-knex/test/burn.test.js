const { knex, lend } = require('../src/library.js')

afterAll(() => knex.destroy())

test('a library without books lends nothing', async () => {
  await knex('books').del()
  await expect(lend(2, 'Ada')).rejects.toThrow('no copy is left')
})
