/** What the module of a `ServerStart` exports. Called by the supervisor, and by the reaper when that is dead. */
export interface ServerModule {
  /**
   * Starts a server that can be found again by `name` alone, even if this process dies in mid-start.
   * @returns the URL of a superuser.
   */
  startServer(options: Record<string, unknown>, context: { name: string; baseDir: string }): Promise<{ url: string }>
  /** Removes it with all its data; one that is gone is not an error. */
  removeServer(name: string): Promise<void>
}
