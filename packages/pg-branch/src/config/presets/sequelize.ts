import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { locateModule } from '../../lib/paths.ts'
import { command } from '../define.ts'
import type { Preset } from './contract.ts'
import { dependsOn } from './files.ts'

/**
 * Leads the command to the database being built: that of the project has, as its documentation advises,
 * the development database's address written into it.
 */
const config = fileURLToPath(locateModule('./sequelize-config', import.meta.url))

/** Source: sequelize.org/docs, "Migrations"; sequelize-cli runs them by umzug. */
export const sequelize: Preset = {
  name: 'sequelize',
  title: 'Sequelize',
  candidates: ['.sequelizerc', 'migrations', 'seeders', 'package.json'],
  tool: { package: 'sequelize-cli', since: [6, 0] },
  recognise(dir) {
    if (!dependsOn(dir, 'sequelize-cli') || !existsSync(join(dir, 'migrations'))) return undefined
    const run = (task: string, globs: { inputs: string[]; migrations?: string[] }) =>
      command(`sequelize-cli ${task} --config '${config}' --env test`, globs)
    const seed = [run('db:migrate', { inputs: ['.sequelizerc'], migrations: ['migrations/*'] })]
    if (existsSync(join(dir, 'seeders'))) seed.push(run('db:seed:all', { inputs: ['seeders/**'] }))
    return { evidence: 'migrations/ and the dependency sequelize-cli', seed }
  },
}
