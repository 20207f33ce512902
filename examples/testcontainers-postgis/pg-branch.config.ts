import { container } from '@pg-branch/testcontainers'
import { defineConfig, sql } from 'pg-branch'

export default defineConfig({
  server: container(process.env.POSTGIS_IMAGE ?? 'postgis/postgis:17-3.5'),
  seed: sql('migrations/*.sql'),
})
