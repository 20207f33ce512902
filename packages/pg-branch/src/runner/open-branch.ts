import { createSession } from './session.ts'

export interface OpenBranchOptions {
  /** The configuration is looked for from here upwards. Default: the working directory. */
  rootDir?: string | undefined
  /** Path of the configuration file, relative to `rootDir`. Default: the nearest one upwards. */
  config?: string | undefined
  /** Who holds the branch, for `pg-branch status`. Default: the program that runs. */
  holder?: string | undefined
}

export interface OpenBranch extends AsyncDisposable {
  /** Connection URI. */
  readonly url: string
  /** All variables that a test environment would set: `DATABASE_URL`, `PGHOST` …, and those of the configuration. */
  readonly variables: Readonly<Record<string, string>>
  /**
   * Returns the branch, as leaving the scope of `await using` does. With `failed`, which says for what,
   * it is kept for a while instead and its `psql` line is written to stderr.
   */
  close(result?: { failed?: string | undefined }): Promise<void>
}

/**
 * Leases a branch for this process: for `node:test`, Mocha, Bun, Playwright, scripts. It ends at the
 * latest with the process, however that ends; a forgotten one does not keep the process alive.
 *
 * @throws PgBranchError of the configuration, the build, or the supervisor.
 */
export async function openBranch(options: OpenBranchOptions = {}): Promise<OpenBranch> {
  const { rootDir = process.cwd(), config, holder = process.argv[1] ?? 'node' } = options
  const variables: Record<string, string> = {}
  const session = createSession({
    options: config === undefined ? {} : { config },
    // Programs that one runner starts side by side are one run.
    runId: `child of ${process.ppid}`,
    isTerminal: process.stderr.isTTY,
    targets: [variables],
  })
  try {
    await session.openFile({ rootDir, filePath: holder, isolate: true })
  } catch (error) {
    await session.close()
    throw error
  }
  const opened = { ...variables }
  const close = async ({ failed }: { failed?: string | undefined } = {}) => {
    await session.closeFile({ failed })
    await session.close()
  }
  return { url: opened.DATABASE_URL ?? '', variables: opened, close, [Symbol.asyncDispose]: () => close() }
}
