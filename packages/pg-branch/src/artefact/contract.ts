/** A piece of content, named by what it is. */
export interface Blob {
  /** `sha256:` and 64 hexadecimal digits, over the stored bytes. */
  digest: string
  bytes: number
}

/** What a name in a store points at. */
export interface Ref {
  /** The blob that describes all others; for a mark that only has annotations, the empty one. */
  manifest: Blob
  /** The others, which the store keeps as long as the name. */
  blobs: Blob[]
  annotations: Record<string, string>
}

/**
 * A place that machines share: blobs that are never changed, and names that are. A new one is one file in
 * `stores/`, one line in `registry.ts`, and passes `test/contract/artefact-store.ts`. Every method throws
 * PgBranchError `PGB_STORE` if the place cannot be reached or refuses.
 */
export interface ArtefactStore {
  /** For people; without any secret. */
  readonly label: string
  readonly capabilities: {
    /** Of two that write a name which is absent, one is told that it was not. */
    exclusive: boolean
  }
  hasBlob(blob: Blob): Promise<boolean>
  /** @returns undefined if there is none. Whether the bytes are the right ones is for the caller to check. */
  readBlob(blob: Blob): Promise<Buffer | undefined>
  /** Either all of it is there afterwards, or nothing. */
  writeBlob(blob: Blob, content: Buffer): Promise<void>
  readRef(name: string): Promise<Ref | undefined>
  /** Points a name at blobs, which are there. @returns false if `ifAbsent` and it pointed somewhere already. */
  writeRef(name: string, ref: Ref, options?: { ifAbsent: boolean }): Promise<boolean>
}
