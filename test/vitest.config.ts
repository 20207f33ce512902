import { defineConfig } from 'vitest/config'

const conditions = ['pg-branch-source', 'node', 'import', 'default']

/** Real servers start in almost every test: time limits are for tests that hang, not for slow machines. */
const real = {
  testTimeout: 180_000,
  hookTimeout: 180_000,
  pool: 'forks' as const,
  globalSetup: ['support/global-setup.ts'],
}

export default defineConfig({
  test: {
    // Each test file starts servers and test runs of its own; two at once are enough for two cores.
    maxWorkers: 2,
    projects: [
      {
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: { name: 'unit', root: '..', include: ['packages/*/src/**/*.test.ts'] },
      },
      { test: { ...real, name: 'contract', include: ['contract/**/*.test.ts'] } },
      { test: { ...real, name: 'e2e', include: ['e2e/**/*.test.ts'] } },
      { test: { ...real, name: 'faults', include: ['faults/**/*.test.ts'] } },
    ],
  },
})
