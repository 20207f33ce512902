import type { DriverName } from './registry.ts'

/** Whether something can be used here; if not, why not. */
export type Probe = { usable: true } | { usable: false; reason: string }

export interface DriverCapabilities {
  /** A clone shares its blocks with the original: time and space do not grow with the data. */
  copyOnWrite: boolean
  /** A clone is one point in time even while files are being written. */
  atomicLive: boolean
  /** `clone` onto an earlier clone of the same source restores only what has changed since. */
  rewind: boolean
}

/**
 * One copy-on-write technique. A *tree* is a directory that the driver made, owned by the user whom
 * the server runs as. A new driver is one file in `drivers/`, one line in `registry.ts`, and must
 * pass `test/contract/volume-driver.ts`.
 */
export interface VolumeDriver {
  readonly name: DriverName
  readonly capabilities: DriverCapabilities
  /** Tries the technique for real inside the existing directory `dir` and leaves nothing there. */
  probe(dir: string): Promise<Probe>
  /** Makes an empty tree at `path`, whose parent exists. */
  create(path: string): Promise<void>
  /**
   * Makes `to` equal to the tree `from`: content, modes, owners. `to` must not exist, unless
   * `capabilities.rewind` and it is an earlier clone of `from`. After an error `to` does not exist. With
   * `isLive`, `from` stands still for the call only; else it never changes.
   */
  clone(options: { from: string; to: string; isLive?: boolean }): Promise<void>
  /** Removes trees; one that is already gone is not an error. */
  remove(paths: string[]): Promise<void>
}
