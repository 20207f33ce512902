import { defineConfig, dump, sql } from 'pg-branch'

export default defineConfig({
  // Roles of production that are not here, such as this dump's owner, are left out.
  seed: [dump('backup.sql.gz'), sql('migrations/*.sql')],
  fastIngest: true,
  // The dump is of some time ago, and the code under test asks for the last hour.
  onFork: "UPDATE events SET happened_at = now() - interval '10 minutes'",
})
