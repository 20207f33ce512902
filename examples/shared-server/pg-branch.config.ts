import { defineConfig, sql } from 'pg-branch'

export default defineConfig({
  // Unset, as on a laptop: servers of our own. In CI: the server that is there anyway.
  server: process.env.ADMIN_URL,
  seed: sql('migrations/*.sql'),
  pool: { connectionsPerBranch: 5 },
})
