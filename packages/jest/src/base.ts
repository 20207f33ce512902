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
  for (const require of [...walkThroughJest(rootDir), createRequire(import.meta.url)]) {
    const file = tryResolve(require, packageName)
    if (file !== undefined) return pickClass(require(file))
  }
  return undefined
}

function* walkThroughJest(rootDir: string): Generator<NodeJS.Require> {
  let require = createRequire(join(rootDir, 'package.json'))
  yield require
  for (const name of wayThroughJest) {
    const entry = tryResolve(require, name)
    if (entry === undefined) return
    require = createRequire(entry)
    yield require
  }
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
