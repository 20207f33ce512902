import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../define.ts'
import type { Preset } from './contract.ts'
import { dependsOn, findFile, listScripts } from './files.ts'

const places = ['', 'src/', 'db/', 'src/db/', 'src/database/']
const sources = places.flatMap((place) =>
  ['data-source', 'datasource'].flatMap((name) => listScripts(`${place}${name}`)),
)

/** Source: typeorm.io, "Using CLI": TypeScript is run by ts-node, in the kind of modules of the package. */
export const typeorm: Preset = {
  name: 'typeorm',
  title: 'TypeORM',
  candidates: [...sources, 'package.json'],
  tool: { package: 'typeorm', since: [0, 3] },
  recognise(dir) {
    const file = dependsOn(dir, 'typeorm') ? findFile(dir, sources) : undefined
    if (file === undefined) return undefined
    const program = /\.[cm]?ts$/.test(file) ? `typeorm-ts-node-${isModule(dir) ? 'esm' : 'commonjs'}` : 'typeorm'
    const folders = places.flatMap((place) => [`${place}migration/*`, `${place}migrations/*`])
    const seed = command(`${program} migration:run -d ${file}`, {
      inputs: [file, 'src/**/*entity.*', 'src/entity/**', 'src/entities/**'],
      migrations: folders,
    })
    return { evidence: `${file} and the dependency typeorm`, seed: [seed] }
  },
}

function isModule(dir: string): boolean {
  const { type } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { type?: string }
  return type === 'module'
}
