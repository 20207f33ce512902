import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PgBranchError, describeError } from '../lib/errors.ts'
import { locateModule } from '../lib/paths.ts'
import { recordImports } from './record-imports.ts'
import type { UserConfig } from './types.ts'
import { validateConfig } from './validate.ts'

export interface LoadedConfig {
  config: UserConfig
  /** The file's text as it was evaluated, types removed; '' for JSON. */
  code: string
  /** Modules of the user's own that the file imported, directly or not, without the file itself. */
  imports: string[]
  /** Variables that the file or its imports read while loading, with the values seen. */
  /** Null: it was not set. */
  envReads: Record<string, string | null>
}

/**
 * Runs the user's configuration file. Only ever called in the builder process, since a module that
 * was once imported stays as it was.
 *
 * @throws PgBranchError `PGB_CONFIG_LOAD` or `PGB_CONFIG_INVALID`.
 */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const source = await readFile(file, 'utf8')
  if (file.endsWith('.json')) {
    const value = parseJson(source, file)
    const isPackage = file.endsWith('package.json')
    const config = isPackage ? (value as Record<string, unknown>)['pg-branch'] : value
    return {
      config: validateConfig(config, isPackage ? `"pg-branch" in ${file}` : file),
      code: '',
      imports: [],
      envReads: {},
    }
  }
  const { createJiti } = await import('jiti')
  const indexPath = fileURLToPath(locateModule('../index', import.meta.url))
  const jiti = createJiti(file, { fsCache: false, alias: { 'pg-branch': indexPath }, interopDefault: true })
  const recorder = recordImports()
  const envReads: Record<string, string | null> = {}
  let value: unknown
  try {
    value = await withRecordedEnv(envReads, () => jiti.import(file))
  } catch (error) {
    throw new PgBranchError(`${file} could not be loaded: ${describeError(error)}`, {
      code: 'PGB_CONFIG_LOAD',
      hint: /^(ParseError|SyntaxError)/.test(describeError(error))
        ? `The position is in that file; \`npx tsc --noEmit ${basename(file)}\` says more.`
        : 'The error is from the file itself or a module that it imports; it must export the configuration as default.',
      cause: error,
    })
  }
  const config = pickDefault(value)
  if (config === undefined) {
    throw new PgBranchError(`${file} exports no configuration`, {
      code: 'PGB_CONFIG_LOAD',
      hint: 'It must export it as default: export default { seed: … }',
    })
  }
  const own = (path: string) => path !== file && !path.includes('/node_modules/') && !path.startsWith(packageDir)
  const imports = [...new Set([...Object.keys(jiti.cache), ...recorder.list()])].filter(own).sort()
  const code = jiti.transform({ source, filename: file, ts: true, async: true })
  return { config: validateConfig(config, file), code, imports, envReads }
}

/** @returns the default export of a module, or what a module of CommonJS is; undefined if it exports nothing of the kind. */
function pickDefault(loaded: unknown): unknown {
  if (typeof loaded !== 'object' || loaded === null) return loaded
  const module = loaded as { default?: unknown }
  if (!('default' in module)) {
    return Object.hasOwn(module, '__esModule') || Object.keys(module).length === 0 ? undefined : module
  }
  const inner = module.default as
    | { __esModule?: unknown; default?: unknown; [Symbol.toStringTag]?: unknown }
    | undefined
  // What a compiler made of ESM for `require`.
  if (inner?.__esModule === true) return inner.default
  return inner?.[Symbol.toStringTag] === 'Module' ? undefined : inner
}

const packageDir = fileURLToPath(new URL('..', import.meta.url))

function parseJson(source: string, file: string): unknown {
  try {
    return JSON.parse(source)
  } catch (error) {
    throw new PgBranchError(`${file} is not JSON: ${describeError(error)}`, {
      code: 'PGB_CONFIG_LOAD',
      hint: 'Correct it at the position named.',
      cause: error,
    })
  }
}

/** Variables that tools read on every start and that say nothing about the user's configuration. */
const ignoredReads = /^(JITI_|NODE_|DEBUG|FORCE_COLOR$|NO_COLOR$|TERM$|CI$|npm_)/

/**
 * Runs `action` while noting which variables it reads: a configuration that depends on
 * `process.env.X` must not be reused for a client with another X.
 */
async function withRecordedEnv<T>(reads: Record<string, string | null>, action: () => Promise<T>): Promise<T> {
  const real = process.env
  process.env = new Proxy(real, {
    get(target, key) {
      const value = Reflect.get(target, key) as string | undefined
      if (typeof key === 'string' && !ignoredReads.test(key)) reads[key] = value ?? null
      return value
    },
  })
  try {
    return await action()
  } finally {
    process.env = real
  }
}
