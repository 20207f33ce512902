import { defineConfig } from 'vitest/config'

export default defineConfig({
  // All files share a database, so one after the other.
  test: { include: ['before/*.test.ts'], fileParallelism: false, globalSetup: 'before/migrate.ts' },
})
