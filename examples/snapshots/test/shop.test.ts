import { expect } from 'vitest'
import { branch, test } from 'vitest-environment-pg-branch/test'

const order = async (productId: number) => {
  await branch.query('UPDATE products SET stock = stock - 1 WHERE id = $1', [productId])
  await branch.query('INSERT INTO orders (product_id) VALUES ($1)', [productId])
}
const stock = async () =>
  (await branch.query<{ stock: number }>('SELECT stock FROM products ORDER BY id')).map((row) => row.stock)

test('from one saved state into two futures', async () => {
  await order(1)
  await branch.snapshot('one chair sold')

  await order(2)
  await expect(order(2)).rejects.toThrow(/check constraint/)
  expect(await stock()).toEqual([2, 0])

  await branch.restore('one chair sold')
  expect(await stock()).toEqual([2, 1])
  await order(1)
  expect(await stock()).toEqual([1, 1])
})

test('what has this test changed?', async () => {
  await order(1)
  await branch.query('DELETE FROM products WHERE id = 2')
  expect(await branch.diff()).toEqual([
    { table: 'public.orders', added: 1, changed: 0, removed: 0 },
    { table: 'public.products', added: 0, changed: 1, removed: 1 },
  ])
})

test('another branch from here, to try something', async () => {
  await order(1)
  await using trial = await branch.fork()
  await trial.query('TRUNCATE orders, products')
  expect(await trial.query('SELECT count(*)::int AS n FROM orders')).toEqual([{ n: 0 }])
  expect(await branch.query('SELECT count(*)::int AS n FROM orders')).toEqual([{ n: 1 }])
})

test.concurrent.for([1, 2, 3])('three at the same time, each with a branch of its own: %i', async (_, { branch }) => {
  await branch.query('INSERT INTO orders (product_id) VALUES (1)')
  expect(await branch.query('SELECT count(*)::int AS n FROM orders')).toEqual([{ n: 1 }])
})
