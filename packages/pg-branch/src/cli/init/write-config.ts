import { PgBranchError, describeError } from '../../lib/errors.ts'
import { findConfig } from '../../config/find.ts'
import { recogniseProject } from '../../config/presets/recognise.ts'
import { allPresets } from '../../config/presets/registry.ts'
import type { RunnableStep } from '../../config/types.ts'
import type { FileChange, PackageJson, ProjectFiles } from './contract.ts'

export interface ConfigSetup {
  /** What the database is made from, for people. */
  found: string
  change: FileChange | undefined
  todo: string[]
}

/** @returns the configuration that a project gets, by what makes its database. One that is there stays. */
export async function setUpConfig({ dir, isTypeScript, packageJson }: ProjectFiles): Promise<ConfigSetup> {
  const { file } = await findConfig(dir)
  if (file !== undefined) return { found: `what ${file} says`, change: undefined, todo: [] }
  const path = `pg-branch.config.${isTypeScript ? 'ts' : 'mjs'}`
  const create = (names: string[], seed: string): FileChange => ({
    path,
    before: '',
    after: `import { ${['defineConfig', ...names].join(', ')} } from 'pg-branch'\n\nexport default defineConfig({\n  seed: ${seed},\n})\n`,
  })
  const say = `say in ${path} what makes your database: sql(…), preset('…'), dump(…), command(…) or a function`
  let recognised: ReturnType<typeof recogniseProject>
  try {
    recognised = recogniseProject(dir)
  } catch (error) {
    if (!(error instanceof PgBranchError)) throw error
    const isAmbiguous = error.code === 'PGB_CONFIG_AMBIGUOUS'
    const todo = [isAmbiguous ? say : (error.hint ?? say)]
    return { found: `it is not clear: ${describeError(error)}`, change: create(['sql'], `[sql('TODO.sql')]`), todo }
  }
  if (recognised === undefined) {
    return { found: 'nothing that is known', change: create(['sql'], `[sql('TODO.sql')]`), todo: [say] }
  }
  const { title, evidence, seed } = recognised
  const preset = allPresets.find((one) => one.title === title)
  const found = `${title} (${evidence})`
  if (preset !== undefined) {
    return { found, change: create(['preset'], `preset('${preset.name}')`), todo: suggestSeed(packageJson, path) }
  }
  return { found, change: create(['sql'], `[${seed.map(writeStep).join(', ')}]`), todo: [] }
}

/** A tool's migrations may leave tables empty that the project fills by a script of its own. */
function suggestSeed({ scripts = {} }: PackageJson, path: string): string[] {
  const script = Object.keys(scripts).find((name) => /(^|[:_-])seed$/.test(name))
  if (script === undefined) return []
  return [
    `if tests need what the script ${script} makes, add it to \`seed\` in ${path}: [preset(…), command('npm run ${script}', { inputs: ['the files that it reads'] })]`,
  ]
}

function writeStep(step: RunnableStep): string {
  return 'kind' in step && step.kind === 'sql' ? `sql(${step.globs.map((glob) => `'${glob}'`).join(', ')})` : ''
}
