import { PgBranchError } from '../lib/errors.ts'
import { formatDuration } from '../lib/format.ts'
import { connectSupervisor } from '../supervisor/client.ts'
import type { SupervisorStatus } from '../supervisor/protocol.ts'
import { createCommand, type Command } from './command.ts'
import { print, printJson } from './print.ts'

export const statusCommand: Command = createCommand({
  meta: { name: 'status', description: 'Show the background process: templates, volume, pool, leases, kept branches' },
  args: { json: { type: 'boolean', description: 'Print as JSON', default: false } },
  async run({ args }) {
    const status = await readStatus()
    if (args.json) printJson(status ?? { running: false })
    else print(status === undefined ? 'nothing is running' : describe(status))
  },
})

async function readStatus(): Promise<SupervisorStatus | undefined> {
  try {
    const connection = await connectSupervisor({ start: false })
    const status = await connection.call.status()
    connection.close()
    return status
  } catch (error) {
    if (error instanceof PgBranchError && error.code === 'PGB_SUPERVISOR_GONE') return undefined
    throw error
  }
}

function describe({ pid, version, projects, kept, branches, staysUntil }: SupervisorStatus): string {
  const stays = staysUntil === undefined ? '' : `, stays until ${staysUntil}`
  const lines = [`pg-branch ${version}, pid ${pid}${stays}`]
  for (const project of projects) {
    const { pool } = project
    lines.push(
      `\n${project.rootDir}`,
      `  template  ${project.template.slice(0, 8)}, ${project.reused ? 'from the cache' : `built in ${formatDuration(project.buildMs)} (${project.why})`}`,
      `  postgres  ${project.postgres}`,
      `  volume    ${project.volume}${project.advice === undefined ? '' : `\n            ${project.advice}`}`,
      ...project.rejected.map((candidate) => `            not ${candidate}`),
      `  branches  ${project.leases} leased, ${pool.ready} ready, ${pool.warming} warming`,
    )
  }
  if (branches.length > 0)
    lines.push('\nnamed branches', ...branches.map(({ baseDir, name }) => `  ${name} of ${baseDir}`))
  if (kept.length > 0) lines.push('\nkept branches of failed tests')
  for (const { reason, psqlLine, expiresAt } of kept) {
    lines.push(`  ${reason} (for ${formatDuration(Math.max(0, expiresAt - Date.now()))} more)`, `    ${psqlLine}`)
  }
  return lines.join('\n')
}
