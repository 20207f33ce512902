const base = { client: 'pg', connection: process.env.DATABASE_URL }
export default {
  development: { ...base, migrations: { directory: './migrations' }, seeds: { directory: './seeds/dev' } },
  test: { ...base, migrations: { directory: './migrations' }, seeds: { directory: './seeds/test' } },
}
