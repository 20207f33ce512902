import { command, defineConfig } from 'pg-branch'

// Each is a layer: a changed seed does not run the migrations again.
export default defineConfig({
  seed: [
    command('knex migrate:latest', { inputs: ['knexfile.js', 'migrations/*.js'] }),
    command('knex seed:run', { inputs: ['seeds/*.js'] }),
  ],
})
