import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { environment: 'pg-branch', reporters: ['default', 'vitest-environment-pg-branch/reporter'] },
})
