import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { environment: 'pg-branch', environmentOptions: { pgBranch: { scope: 'test' } } },
})
