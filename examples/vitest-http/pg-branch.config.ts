import { defineConfig, sql } from 'pg-branch'

export default defineConfig({
  seed: [
    sql('db/migrations/*.sql'),
    async ({ client, log }) => {
      log('adding demo rooms')
      for (const [name, price] of [
        ['Attic', 80],
        ['Balcony', 120],
        ['Cellar', 60],
      ]) {
        await client.query('INSERT INTO rooms (name, price) VALUES ($1, $2)', [name, price])
      }
    },
  ],
})
