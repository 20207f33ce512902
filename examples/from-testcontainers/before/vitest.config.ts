import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['before/*.test.ts'], setupFiles: 'before/database.ts', testTimeout: 60_000, hookTimeout: 120_000 },
})
