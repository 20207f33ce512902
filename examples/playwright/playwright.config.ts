import { defineConfig } from '@playwright/test'

export default defineConfig({ testDir: 'test', workers: 2, reporter: 'list' })
