import type { ErrorFields } from './messages.ts'

/** What clients are told about the holder of a gateway, tests for instance, in the holder's own words. */
export interface GatewayWords {
  /** @param phase as `beginPhase` was told; undefined: before the first. @returns e.g. `by the test "adds one"`. */
  describePhase(phase: string | undefined): string
  /** For a client with something open that cannot move to a fresh branch. */
  moveHint: string
  /** For a client whose branch is gone. */
  gone: ErrorFields
}
