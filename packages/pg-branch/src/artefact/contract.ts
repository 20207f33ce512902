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

/** What became of the writing of a name. */
export interface WriteOutcome {
  /** False if it was to be absent, and pointed somewhere already. */
  isWritten: boolean
  /** Whether, of two that write an absent name at once, one alone is told that it has. If not, look again. */
  isExclusive: boolean
}

/**
 * A place that machines share: blobs that are never changed, and names that are. A new one is one file in
 * `stores/` or a package, one line in `registry.ts`, and passes `test/contract/artefact-store.ts`. Every method
 * throws PgBranchError `PGB_STORE` if the place cannot be reached or refuses.
 */
export interface ArtefactStore {
  /** For people; without any secret. */
  readonly label: string
  hasBlob(blob: Blob): Promise<boolean>
  /** @returns undefined if there is none. Whether the bytes are the right ones is for the caller to check. */
  readBlob(blob: Blob): Promise<Buffer | undefined>
  /** Either all of it is there afterwards, or nothing. */
  writeBlob(blob: Blob, content: Buffer): Promise<void>
  readRef(name: string): Promise<Ref | undefined>
  /** Points a name at blobs, which are there; with `ifAbsent` only if it points nowhere. */
  writeRef(name: string, ref: Ref, rules?: { ifAbsent: boolean }): Promise<WriteOutcome>
}

/** What a module that brings a store exports. It runs in a process of its own, with the variables of whoever asks. */
export interface StoreModule {
  /** @param address what stands behind `scheme://`, or a directory. @throws PgBranchError `PGB_ARGUMENT`. */
  openStore(address: string): ArtefactStore
}
