import type { Client } from 'pg'
import type { DatabaseAddress } from '../../lib/connection-uri.ts'

/** The server and database that a step works on. */
export interface StepTarget extends DatabaseAddress {
  /** Whether the server holds databases that are not ours: a step must then stay in its own. */
  shared: boolean
}

/** How far a step has come; every field may grow, none shrinks but `file`. */
export interface StepProgress {
  file?: string
  bytes?: number
  totalBytes?: number
  statements?: number
  rows?: number
  /** The last line that the step itself wrote. */
  message?: string
}

/** What a step is run with. */
export interface StepRun {
  target: StepTarget
  /** Directory of the configuration: where commands run and to which names are relative. */
  baseDir: string
  onProgress(progress: StepProgress): void
  log(message: string): void
  connect(target: StepTarget): Promise<Client>
}
