import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { leaseBranch } from '../support/branch.ts'
import { cliFile, makeHome } from '../support/home.ts'
import { makeProject, usersTable } from '../support/project.ts'

interface Finding {
  topic: string
  state: string
  text: string
}

async function examine(dir: string): Promise<{ exitCode: number | undefined; findings: Finding[] }> {
  const { stdout, exitCode } = await execa(process.execPath, [cliFile, 'doctor', '--json'], { cwd: dir, reject: false })
  return { exitCode, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings }
}

test('`doctor` tries everything, and finds what a dead supervisor has left', async () => {
  await using home = makeHome()
  await using project = await makeProject({ 'migrations/1.sql': usersTable })
  {
    await using _branch = await leaseBranch(project.dir)
    const { exitCode, findings } = await examine(project.dir)
    expect(findings.filter(({ state }) => state === 'problem')).toEqual([])
    expect(exitCode).toBe(0)
    const find = (topic: string) => findings.filter((finding) => finding.topic === topic).map(({ text }) => text)
    expect(find('postgres')).toContainEqual(expect.stringMatching(/^embedded: postgres \(PostgreSQL\) 18/))
    expect(find('volume')).toContainEqual(expect.stringMatching(/works, which is taken$/))
    expect(find('volume')).toContainEqual(expect.stringMatching(/^btrfs on .*volume.*: no managed volume was made/))
    expect(find('supervisor')).toContainEqual(expect.stringMatching(/^running, pid \d+, 1 projects/))
    expect(find('space')).toHaveLength(2)
  }
  const [place] = JSON.parse(readFileSync(join(home.stateDir, 'places.json'), 'utf8')) as Array<{ path: string }>
  expect(await home.end()).toEqual([])
  const left = join(place?.path ?? '', 'dead')
  mkdirSync(left)
  writeFileSync(join(left, 'owner.json'), JSON.stringify({ pid: 1, startedAt: 'never' }))
  const { exitCode, findings } = await examine(project.dir)
  expect(exitCode).toBe(2)
  expect(findings).toContainEqual({
    topic: 'supervisor',
    state: 'problem',
    text: `${left} was left by a dead supervisor: the next run removes it`,
  })
  await using _branch = await leaseBranch(project.dir)
  await expect.poll(() => existsSync(left), { timeout: 5_000 }).toBe(false)
})
