import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    environment: 'pg-branch',
    // Not needed; it says after the run where the template came from, and how long branches took.
    reporters: ['default', 'vitest-environment-pg-branch/reporter'],
  },
})
