import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postgresVersions, type PostgresProvider } from '../../packages/pg-branch/dist/postgres/contract.js'

/** What every provider must answer on a machine that has something of it. */
export function describePostgresProvider(provider: PostgresProvider, { prepare }: { prepare(): Promise<void> }): void {
  describe(`the provider ${provider.name}`, () => {
    const baseDir = fileURLToPath(new URL('..', import.meta.url))
    let binariesDir = ''
    beforeAll(async () => {
      await prepare()
      binariesDir = mkdtempSync(join(tmpdir(), 'pgb-binaries-'))
    })
    afterAll(() => rmSync(binariesDir, { recursive: true }))
    const locate = (request: Partial<Parameters<PostgresProvider['locate']>[0]> = {}) =>
      provider.locate({ baseDir, binariesDir, ...request })

    test('what it finds runs, and is what it says', async () => {
      const { found } = await locate()
      if (found === undefined) throw new Error('nothing was found')
      expect(found.provider).toBe(provider.name)
      expect(postgresVersions).toContain(found.version)
      for (const program of ['postgres', 'initdb']) {
        const { stdout } = await execa(join(found.binDir, program), ['--version'])
        expect(stdout).toContain(`(PostgreSQL) ${found.version}`)
        if (program === 'postgres') expect(stdout).toBe(found.fullVersion)
      }
    })

    test('the same request has the same answer: a build’s name is part of the key of templates', async () => {
      expect((await locate()).found).toEqual((await locate()).found)
    })

    test('a version that it has not is no other one: each candidate is named with a reason', async () => {
      const { found: any } = await locate()
      const other = postgresVersions.find((version) => version !== any?.version)
      const { found, rejected } = await locate({ version: other })
      if (found === undefined) {
        expect(rejected).not.toEqual([])
        for (const { candidate, reason } of rejected)
          expect([candidate, reason].every((text) => text !== '')).toBe(true)
      } else expect(found.version).toBe(other)
    })

    test('nothing that is in the way makes it throw', async () => {
      const nowhere = await locate({ baseDir: '/nowhere', bin: '/nowhere', version: 15 })
      expect(nowhere.rejected).toBeInstanceOf(Array)
    })
  })
}
