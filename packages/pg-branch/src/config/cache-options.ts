/** Templates kept for later runs. */
export interface CacheOptions {
  /** Default 10 GB. The least recently used go first. */
  maxBytes?: number | undefined
  /** Days since the last use. Default 14. */
  maxAgeDays?: number | undefined
  /**
   * Builds every template anew when a period of this length begins, for seeds that hold `now()`: with
   * 86,400,000 at each midnight (UTC), on every machine at the same moment. Default: never.
   */
  rebuildEveryMs?: number | undefined
  /**
   * Where machines share templates: a directory (relative to this file), `oci://host/repository`, or
   * `s3://bucket/prefix` with `@pg-branch/s3`. What is not here is fetched from there, and what is built is put there. Undefined or empty: what the
   * variable PG_BRANCH_STORE names, else nowhere.
   */
  store?: string | undefined
  /** Whether templates that are built here are put there. Default: true. */
  push?: boolean | undefined
  /**
   * Public keys (Ed25519, PEM, or the base64 of one) by a name for people. If there are any, only templates that
   * one of them verifies are fetched. What is put there is signed with the private key in PG_BRANCH_SIGNING_KEY.
   */
  trustedKeys?: Record<string, string> | undefined
  /** How long to wait for another machine that is building the same, before building it too. Default 300,000. */
  waitMs?: number | undefined
}
