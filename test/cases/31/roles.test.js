import pg from 'pg'
import { expect, test, describe } from 'vitest'
const as = (user, password, database) => {
  const u = new URL(process.env.DATABASE_URL)
  u.username = encodeURIComponent(user)
  u.password = encodeURIComponent(password)
  if (database) u.pathname = '/' + encodeURIComponent(database)
  return u.href
}
async function who(url) {
  const c = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3000 })
  try {
    await c.connect()
    return (await c.query('select current_user u, current_database() d')).rows[0]
  } catch (e) {
    return `${e.code ?? ''} ${e.message}`
  } finally {
    await c.end().catch(() => {})
  }
}
for (let i = 0; i < 2; i++)
  test('roles ' + i, async () => {
    const out = {}
    out.scram = await who(as('app_scram', 'pä ss/word@:'))
    out.wrong = await who(as('app_scram', 'wrong'))
    out.md5 = await who(as('app_md5', 'secret'))
    out.nopw = await who(as('app_nopw', ''))
    out.old = await who(as('app_old', 'x'))
    out.user = await who(as('App User', 'x'))
    out.nobody = await who(as('nobody', 'x'))
    out.other = await who(as('App User', 'x', 'other db'))
    out.missing = await who(as('App User', 'x', 'no such'))
    const one = new pg.Client({ connectionString: as('app_limit', 'x') })
    await one.connect()
    out.limit = await who(as('app_limit', 'x'))
    await one.end()
    const root = new pg.Client()
    await root.connect()
    await root.query("CREATE ROLE fresh LOGIN PASSWORD 'f'")
    await root.query('CREATE DATABASE tenant_1')
    out.fresh = await who(as('fresh', 'f', 'tenant_1'))
    await root.query("ALTER ROLE fresh PASSWORD 'g'")
    out.changed = await who(as('fresh', 'g'))
    await root.end()
    const ok = (u, d = 'postgres') => ({ u, d })
    const wrong = (u) => `28P01 password authentication failed for user "${u}"`
    expect(out).toEqual({
      scram: ok('app_scram'),
      wrong: wrong('app_scram'),
      md5: wrong('app_md5'),
      nopw: wrong('app_nopw'),
      old: wrong('app_old'),
      user: ok('App User'),
      nobody: wrong('nobody'),
      other: ok('App User', 'other db'),
      missing: '3D000 database "no such" does not exist',
      limit: '53300 too many connections for role "app_limit"',
      fresh: ok('fresh', 'tenant_1'),
      changed: ok('fresh'),
    })
  })
