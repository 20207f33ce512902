import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PgBranchError } from '../../lib/errors.ts'
import type { Preset } from './contract.ts'

/**
 * Looks for the package of a preset's command where Node would, from the project upwards.
 *
 * @param otherSteps what could be run instead.
 * @throws PgBranchError `PGB_PRESET_TOOL` if it is missing, or older than the command that is run.
 */
export function checkTool(dir: string, { title, tool }: Preset, otherSteps?: string): void {
  if (tool === undefined) return
  const { package: name, since } = tool
  const version = findVersion(dir, name)
  const wanted = since.join('.')
  if (version === undefined) {
    throw new PgBranchError(`${dir} has migrations of ${title}, and the package ${name} is not installed there`, {
      code: 'PGB_PRESET_TOOL',
      hint: `npm i -D ${name}; or say what to run instead in pg-branch.config.ts${otherSteps === undefined ? ' with `seed`.' : `: seed: [${otherSteps}].`}`,
    })
  }
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > since[0] || (major === since[0] && minor >= since[1])) return
  throw new PgBranchError(`the package ${name} in ${dir} is version ${version}, and ${wanted} or later is needed`, {
    code: 'PGB_PRESET_TOOL',
    hint: `npm i -D ${name}@latest; or say with \`seed\` in pg-branch.config.ts which command to run.`,
  })
}

function findVersion(dir: string, name: string): string | undefined {
  for (let at = dir; ; at = dirname(at)) {
    const file = join(at, 'node_modules', name, 'package.json')
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version?: string }).version ?? '0.0'
    if (dirname(at) === at) return undefined
  }
}
