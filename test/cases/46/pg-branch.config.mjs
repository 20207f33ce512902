import { defineConfig, command, sql } from 'pg-branch'
export default defineConfig({
  env: ({ host, port, user, password, database }) => ({
    DB_HOST: host,
    DB_PORT: String(port),
    DB_USER: user,
    DB_PASSWORD: password,
    DB_NAME: database,
  }),
  seed: [sql('schema.sql'), command('node seed.mjs', { inputs: ['seed.mjs'] })],
})
