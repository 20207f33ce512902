/** What a file is to become. */
export interface FileChange {
  /** Relative to the project. */
  path: string
  /** '' if it is not there yet. */
  before: string
  after: string
}

/** A test runner that a project has. */
export interface RunnerSetup {
  name: 'vitest' | 'jest' | 'node:test'
  /** npm packages that it needs, which the project does not have yet. */
  packages: string[]
  changes: FileChange[]
  /** What is left for the user, as they would do it. */
  todo: string[]
  /** What could not be done for them, and without which the tests have no branch. */
  open?: string[]
}

export interface ProjectFiles {
  dir: string
  /** @returns a file as it will be, what was planned so far included. */
  read(path: string): string
  /** What is to be changed so far, by path. */
  changes: Map<string, FileChange>
  packageJson: PackageJson
  isTypeScript: boolean
}

/** As far as it is needed. */
export interface PackageJson {
  type?: string
  scripts?: Record<string, string>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  packageManager?: string
  jest?: Record<string, unknown>
}
