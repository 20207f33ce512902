import type { ErrorFields } from './messages.ts'
import type { Upstream } from './upstream.ts'

/** What a client's connection needs from its gateway. */
export interface ClientConnectionOptions {
  /** Whom the client logged in as. */
  user: string
  parameters: ReadonlyMap<string, string>
  /** Opens a connection to the present branch with the client's own parameters. */
  open(): Promise<Upstream>
  /** For people: the test that runs now, for instance. */
  getPhase(): string | undefined
  onStatement(text: string, application: string): void
  /** The client hung up while its server was at work, or in a transaction. */
  onAbandoned(): void
  /** What the client is told when its branch is gone. */
  gone: ErrorFields
  /** What the client is told when its branch does not let it in. */
  explain(error: unknown): ErrorFields
}
