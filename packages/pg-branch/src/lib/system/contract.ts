/** What an operating system is asked. A kind of system is one file beside this one, and a line in `get-system.ts`. */
export interface System {
  readonly processes: ProcessTable
  /** A folder in memory in which everybody may make directories; undefined: there is none, and branches are on disk. */
  readonly memoryRoot: string | undefined
  /** Memory that could be had without taking it from anybody. */
  readAvailableMemoryBytes(): Promise<number>
  /** What the path of a unix socket may have, its final zero aside (`sun_path` in sys/un.h). */
  readonly maxSocketPathBytes: number
  /** @returns a short path that leads to a process's working directory; undefined: there is none. */
  getWorkingDirectoryLink(pid: number): string | undefined
}

export interface ProcessTable {
  /**
   * @returns when a process began, in a form of the system's own, which no later process of the same number shares;
   * the same word for all where that cannot be told; undefined if there is none, or only a zombie.
   */
  readStartTime(pid: number): Promise<string | undefined>
  /** @returns the letter of ps(1) for each of these processes that is there. */
  readStates(pids: number[]): Promise<Map<number, string>>
  listChildren(pid: number): Promise<number[]>
  /** Whether a process works in this directory, or, where that cannot be told, has it as an argument. */
  isWorkingIn(pid: number, dir: string): Promise<boolean>
  /**
   * @param text what one of a process's variables begins with, name and all.
   * @returns the processes that began with such a variable, as far as this user may know.
   */
  listStartedWith(text: string): Promise<number[]>
}
