import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { arch, cpus, platform, release, totalmem } from 'node:os'
import pico from 'picocolors'
import { describeError } from '../lib/errors.ts'
import { formatBytes } from '../lib/format.ts'
import { getStatePaths, type StatePaths } from '../lib/paths.ts'
import { getServerIdentity } from '../lib/server-identity.ts'
import { getSystem } from '../lib/system/get-system.ts'
import { packageVersion } from '../lib/version.ts'
import { listDirsWith } from '../postgres/known-places.ts'
import { surveyProviders } from '../postgres/registry.ts'
import { connectSupervisor } from '../client/connect.ts'
import { listDeadGenerations } from '../reaper/reaper.ts'
import { drivers } from '../volume/registry.ts'
import { surveyVolumes } from '../volume/choose.ts'
import { jsonArgument } from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import { print, printJson } from './print.ts'

/** One thing that was looked at. */
interface Finding {
  topic: 'machine' | 'postgres' | 'volume' | 'space' | 'supervisor' | 'tools'
  /** `no`: cannot be used, which is bad only where nothing else of its topic can. */
  state: 'ok' | 'no' | 'problem'
  text: string
}

export const doctorCommand: Command = createCommand({
  meta: {
    name: 'doctor',
    description:
      'Try every provider and volume driver, and say what is missing, left over or could be faster: a block for bug reports',
  },
  args: jsonArgument,
  async run({ args }) {
    const findings = await examine(getStatePaths())
    if (args.json) printJson({ version: packageVersion, findings })
    else print(describe(findings))
    if (findings.some(({ state }) => state === 'problem')) process.exitCode = 2
  },
  examples: [['pg-branch doctor', 'when something does not work: put the output into the report']],
})

async function examine(paths: StatePaths): Promise<Finding[]> {
  const parts = [examineMachine, examinePostgres, examineVolumes, examineSpace, examineSupervisor, examineTools]
  const findings: Finding[] = []
  for (const part of parts) {
    try {
      findings.push(...(await part(paths)))
    } catch (error) {
      findings.push({ topic: 'machine', state: 'problem', text: describeError(error) })
    }
  }
  return findings
}

async function examineMachine(): Promise<Finding[]> {
  const machine = `pg-branch ${packageVersion}, Node ${process.versions.node}, ${platform()} ${release()} ${arch()}`
  const size = `${cpus().length} CPUs, ${formatBytes(totalmem())} of memory`
  const first: Finding = { topic: 'machine', state: 'ok', text: `${machine}, ${size}` }
  if (process.getuid?.() !== 0) return [first]
  try {
    const text = `root: servers run as the user ${getServerIdentity()?.uid}`
    return [first, { topic: 'machine', state: 'ok', text }]
  } catch (error) {
    return [first, { topic: 'machine', state: 'problem', text: describeError(error) }]
  }
}

async function examinePostgres({ binariesDir }: StatePaths): Promise<Finding[]> {
  const request = { version: undefined, bin: undefined, baseDir: process.cwd(), binariesDir }
  const survey = await surveyProviders(request)
  const findings = survey.flatMap(({ name, found, rejected }): Finding[] => [
    ...(found === undefined
      ? []
      : [{ topic: 'postgres', state: 'ok', text: `${name}: ${found.fullVersion} in ${found.binDir}` } as const]),
    ...rejected.map(({ candidate, reason }): Finding => ({
      topic: 'postgres',
      state: 'no',
      text: `${candidate}: ${reason}`,
    })),
  ])
  return survey.some(({ found }) => found !== undefined)
    ? findings
    : [...findings, { topic: 'postgres', state: 'problem', text: 'no provider has a PostgreSQL that can be used' }]
}

async function examineVolumes(paths: StatePaths): Promise<Finding[]> {
  const survey = await surveyVolumes(paths)
  const best = survey.find(({ reason }) => reason === undefined)
  const findings = survey.map(({ driver, path, reason }): Finding => {
    const taken = best?.driver === driver && best.path === path ? ', which is taken' : ''
    const text = `${driver} on ${path}: ${reason ?? `works${taken}`}`
    return { topic: 'volume', state: reason === undefined ? 'ok' : 'no', text }
  })
  if (best === undefined) return [...findings, { topic: 'volume', state: 'problem', text: 'no volume can be used' }]
  if (drivers[best.driver]().capabilities.copyOnWrite) return findings
  const text =
    'every branch is a copy here; `sudo npx pg-branch volume create` (Linux) makes it cost the same whatever its size'
  return [...findings, { topic: 'volume', state: 'no', text }]
}

async function examineSpace({ homeDir }: StatePaths): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const path of [homeDir, getSystem().memoryRoot]) {
    if (path === undefined || !existsSync(path)) continue
    const { bavail, bsize } = await statfs(path)
    const free = bavail * bsize
    const state = path === homeDir && free < 1024 ** 3 ? 'problem' : 'ok'
    findings.push({ topic: 'space', state, text: `${formatBytes(free)} free in ${path}` })
  }
  return findings
}

async function examineSupervisor({ stateDir, logDir }: StatePaths): Promise<Finding[]> {
  const dead = await listDeadGenerations(stateDir)
  const leftovers = dead.map((dir): Finding => ({
    topic: 'supervisor',
    state: 'problem',
    text: `${dir} was left by a dead supervisor: the next run removes it`,
  }))
  return [
    { topic: 'supervisor', state: 'ok', text: `${await describeSupervisor()}; its log is in ${logDir}` },
    ...leftovers,
  ]
}

async function describeSupervisor(): Promise<string> {
  try {
    const connection = await connectSupervisor({ start: false })
    const { pid, projects, kept } = await connection.call.status()
    connection.close()
    return `running, pid ${pid}, ${projects.length} projects, ${kept.length} kept branches`
  } catch (error) {
    return describeError(error)
  }
}

async function examineTools(): Promise<Finding[]> {
  const dirs = listDirsWith('pg_restore')
  const text = dirs.length === 0 ? 'none: `dump` of an archive needs one' : dirs.join(', ')
  return [{ topic: 'tools', state: dirs.length === 0 ? 'no' : 'ok', text: `pg_restore: ${text}` }]
}

const marks = { ok: pico.green('+'), no: pico.dim('-'), problem: pico.red('!') }

function describe(findings: Finding[]): string {
  const topics = [...new Set(findings.map(({ topic }) => topic))]
  return topics
    .map((topic) => {
      const lines = findings.filter((finding) => finding.topic === topic)
      return [topic, ...lines.map(({ state, text }) => `  ${marks[state]} ${text}`)].join('\n')
    })
    .join('\n')
}
