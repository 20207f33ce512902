import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { include: ['before/*.test.ts'], testTimeout: 30_000, hookTimeout: 60_000 } })
