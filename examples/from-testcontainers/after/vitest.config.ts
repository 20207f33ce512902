import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['after/*.test.ts'],
    environment: 'pg-branch',
    environmentOptions: { pgBranch: { scope: 'test' } },
  },
})
