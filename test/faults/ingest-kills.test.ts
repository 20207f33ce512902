import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { findBuilds, leaseBranch } from '../support/branch.ts'
import { makeHome } from '../support/home.ts'
import { findPids, readProcess } from '../support/processes.ts'
import { makeProject } from '../support/project.ts'
import { countRounds } from '../support/rounds.ts'

const kills = countRounds(40)
/** So many builds in a row are killed before one may end. */
const killsInARow = 10

const seed = {
  // So much WAL at first that all that follows is lost.
  'seed/1.sql': `SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000)) FROM generate_series(1, 270);
    CREATE TABLE a (id int PRIMARY KEY, body text);
    INSERT INTO a SELECT n, repeat(md5(n::text), 3) FROM generate_series(1, 20000) AS n;
    CREATE INDEX a_body ON a (body);`,
  'seed/2.sql': `CREATE PROCEDURE commit_often(count int) LANGUAGE plpgsql AS $$
    BEGIN FOR n IN 1..count LOOP UPDATE a SET body = body || n WHERE id = n; COMMIT; END LOOP; END $$;
    CALL commit_often(2000);`,
}

const config = `export default { fastIngest: true, seed: [{ kind: 'sql', globs: ['seed/0.sql', 'seed/1.sql'] }, { kind: 'sql', globs: ['seed/2.sql'] }] }`

const oracle = `SELECT (SELECT round FROM round), (SELECT md5(string_agg(a::text, ',' ORDER BY id)) FROM a) AS rows`

/** Who takes part in a build: the supervisor, the process that runs the seed, the server. */
function findParticipants(dir: string): number[] {
  return findPids((pid) => {
    const command = readProcess(pid, 'cmdline').replaceAll('\0', ' ')
    const isHomes = readProcess(pid, 'environ').includes(`PG_BRANCH_HOME=${dir}`)
    const isOurs = /builder-main|^pg-branch supervisor/.test(command)
      ? isHomes
      : command.includes(`${dir}/`) && /postgres -D .*\/builds\//.test(command)
    return isOurs && pid !== process.pid
  })
}

test(`SIGKILL at ${kills} random moments of a build by fast ingest: the next start never serves half a template`, async () => {
  await using home = makeHome()
  await using project = await makeProject({ 'pg-branch.config.mjs': config, ...seed })
  const startRound = (round: number) =>
    project.write({ 'seed/0.sql': `CREATE TABLE round AS SELECT ${round} AS round;` })
  // Everyone of one run is told of its first failure: each of these is a run of its own.
  let runs = 0
  // Moments are drawn from the quickest build seen: the first one also makes the base layer, and a
  // machine is not equally fast all the time. A template that is there is no build.
  let quickestMs = Number.POSITIVE_INFINITY
  const build = async () => {
    runs += 1
    const startedAt = performance.now()
    await using branch = await leaseBranch(project.dir, { runId: `run ${runs}` })
    if (findBuilds(branch.progress).length > 0) quickestMs = Math.min(quickestMs, performance.now() - startedAt)
    const [row] = await branch.query(oracle)
    return row as { round: number; rows: string }
  }
  await startRound(0)
  const { rows } = await build()
  let survived = 0
  for (let done = 0; done < kills;) {
    const round = done + 1
    await startRound(round)
    for (let inARow = 0; inARow < killsInARow; inARow += 1) {
      const result = build().catch(() => undefined)
      await sleep(Math.random() * quickestMs)
      const participants = findParticipants(home.dir)
      const victim = participants[Math.floor(Math.random() * participants.length)]
      if (victim !== undefined) kill(victim)
      done += 1
      const early = await result
      if (early === undefined) continue
      // It was done already, or the victim was no longer needed: what it serves must be whole all the same.
      expect(early).toEqual({ round, rows })
      survived += 1
      break
    }
    expect(await build()).toEqual({ round, rows })
  }
  expect(survived).toBeLessThan(kills * 0.7)
}, 900_000)

/** Between being found and being killed it may have ended. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
