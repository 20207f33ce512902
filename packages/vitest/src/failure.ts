/** A file, suite or test of Vitest's report. */
export interface TaskLike {
  name: string
  result?: { state?: string } | undefined
  tasks?: TaskLike[]
}

/** @returns the path of the first failed test, or of the file or suite that failed itself; undefined if none did. */
export function findFailure(tasks: TaskLike[] | undefined): string | undefined {
  for (const task of tasks ?? []) {
    if (task.result?.state !== 'fail') continue
    const inner = findFailure(task.tasks)
    return inner === undefined ? task.name : `${task.name} > ${inner}`
  }
  return undefined
}
