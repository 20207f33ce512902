import { execa } from 'execa'
import { cliFile } from './home.ts'

export interface CliResult {
  stdout: string
  stderr: string
  /** Both, in their order. */
  all: string
  exitCode?: number | undefined
}

/** Runs `pg-branch` in `dir`, as a user would, and hands back whatever comes of it. */
export async function runCli(
  dir: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; input?: string } = {},
): Promise<CliResult> {
  const env = { NO_COLOR: '1', ...options.env }
  const input = options.input ?? ''
  return execa(process.execPath, [cliFile, ...args], { cwd: dir, reject: false, all: true, input, env })
}

/** The same where it must succeed and its answer is JSON. */
export async function runJson<T>(dir: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<T> {
  const { stdout, all, exitCode } = await runCli(dir, [...args, '--json'], { env })
  if (exitCode !== 0) throw new Error(`pg-branch ${args.join(' ')} ended with ${exitCode}:\n${all}`)
  return JSON.parse(stdout) as T
}
