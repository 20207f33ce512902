import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { EnvironmentContext, JestEnvironment, JestEnvironmentConfig } from '@jest/environment'
import { PgBranchError } from 'pg-branch/runner'

type EnvironmentClass = new (config: JestEnvironmentConfig, context: EnvironmentContext) => JestEnvironment

/** From Jest's front door to the environment that comes with it, for package managers that hoist nothing. */
const wayThroughJest = ['jest', '@jest/core', 'jest-config']

/**
 * Makes the environment that ours extends: the one of the project's own Jest, whose version it must
 * have, else the one installed with this package.
 *
 * @throws PgBranchError `PGB_OPTION_INVALID` for a base that Jest does not have or that is not installed.
 */
export function createBase(
  name: unknown,
  { config, context }: { config: JestEnvironmentConfig; context: EnvironmentContext },
): JestEnvironment {
  if (name !== 'node' && name !== 'jsdom') {
    throw new PgBranchError(`the environment option \`pgBranch.base\` is ${JSON.stringify(name)}`, {
      code: 'PGB_OPTION_INVALID',
      hint: "Allowed: 'node', 'jsdom'.",
    })
  }
  const Base = loadEnvironment(`jest-environment-${name}`, config.projectConfig.rootDir)
  if (Base === undefined) {
    throw new PgBranchError(
      `the environment option \`pgBranch.base\` is '${name}', but jest-environment-${name} is not installed`,
      {
        code: 'PGB_OPTION_INVALID',
        hint: `npm i -D jest-environment-${name}, in the version of your Jest.`,
      },
    )
  }
  return new Base(config, context)
}

function loadEnvironment(packageName: string, rootDir: string): EnvironmentClass | undefined {
  let require: NodeJS.Require | undefined = createRequire(join(rootDir, 'package.json'))
  for (const next of [...wayThroughJest, undefined]) {
    const file = require === undefined ? undefined : tryResolve(require, packageName)
    if (file !== undefined) return pickClass(require?.(file))
    const entry: string | undefined =
      next === undefined || require === undefined ? undefined : tryResolve(require, next)
    require = entry === undefined ? undefined : createRequire(entry)
  }
  const own = createRequire(import.meta.url)
  const file = tryResolve(own, packageName)
  return file === undefined ? undefined : pickClass(own(file))
}

function tryResolve(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name)
  } catch {
    return undefined
  }
}

function pickClass(module: unknown): EnvironmentClass {
  const { default: fallback, TestEnvironment = fallback } = module as Record<string, EnvironmentClass | undefined>
  return (TestEnvironment ?? module) as EnvironmentClass
}
