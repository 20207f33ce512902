import { formatDuration } from '../lib/format.ts'
import type { SupervisorStatus } from '../protocol/protocol.ts'
import { callRunning, jsonArgument } from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import { print, printJson } from './print.ts'

export const statusCommand: Command = createCommand({
  meta: { name: 'status', description: 'Show the background process: templates, volume, pool, leases, kept branches' },
  args: jsonArgument,
  examples: [['pg-branch status', 'what runs now, and how to open kept branches']],
  async run({ args }) {
    const status = await callRunning((call) => call.status())
    if (args.json) printJson(status ?? { running: false })
    else print(status === undefined ? 'nothing is running' : describe(status))
  },
})

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
