import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Connection, LeaseAnswer, ProgressReport } from 'pg-branch/client'
import pg from 'pg'
import { findInstalled } from './installed.ts'

type Client = typeof import('pg-branch/client')

/** Of the installed package, as a project's own. */
const clientFile = join(findInstalled(), 'pg-branch/dist/client/index.js')
export const { connectSupervisor, withSentinel } = (await import(pathToFileURL(clientFile).href)) as Client

export interface TestBranch extends LeaseAnswer {
  connection: Connection
  url: string
  /** On the branch's URL, or another. */
  query(text: string, url?: string): Promise<Array<Record<string, unknown>>>
  progress: ProgressReport[]
  [Symbol.asyncDispose](): Promise<void>
}

/** Leases a branch as a runner package does, without a runner. */
export async function leaseBranch(
  rootDir: string,
  options: {
    env?: NodeJS.ProcessEnv
    withheld?: Record<string, string>
    scope?: 'file' | 'worker' | 'test'
    runId?: string
    options?: unknown
  } = {},
): Promise<TestBranch> {
  const progress: ProgressReport[] = []
  const connection = await connectSupervisor({ onProgress: (report) => progress.push(report) })
  try {
    const answer = await connection.call.lease({
      rootDir,
      options: options.options ?? {},
      env: withSentinel({ ...process.env, ...options.env }),
      withheld: options.withheld ?? {},
      scope: options.scope ?? 'file',
      runId: options.runId ?? 'test',
      holder: 'a test',
    })
    const url = answer.variables.DATABASE_URL ?? ''
    return {
      ...answer,
      connection,
      url,
      progress,
      async query(text, to = url) {
        const client = new pg.Client(to)
        // A server that is killed says so twice: to the query, which rejects, and as an event.
        client.on('error', () => {})
        await client.connect()
        try {
          const result = (await client.query(text)) as unknown as pg.QueryResult | pg.QueryResult[]
          return [result].flat().at(-1)?.rows ?? []
        } finally {
          await client.end()
        }
      },
      async [Symbol.asyncDispose]() {
        connection.close()
      },
    }
  } catch (error) {
    connection.close()
    throw error
  }
}

/** @returns the reports of finished builds among those that a client heard. */
export function findBuilds(progress: ProgressReport[]): Array<{ why: string; steps: number; filesReused: number }> {
  return progress.flatMap(({ done }) => (done === undefined ? [] : [done]))
}

/** @returns the phases that a client heard of, each once. */
export function listPhases(progress: ProgressReport[]): string[] {
  return [...new Set(progress.map(({ phase }) => phase))]
}
