/** Of this process, whichever copy of this module asks: tests and environment load their own. */
const key = Symbol.for('pg-branch.fixtures')

function getRegistry(): Set<string> {
  const holder = globalThis as unknown as Record<symbol, Set<string> | undefined>
  return (holder[key] ??= new Set())
}

/** Remembers that a test took its branch from the fixture. */
export function registerFixture(taskId: string): void {
  getRegistry().add(taskId)
}

export function hasFixture(taskId: string): boolean {
  return getRegistry().has(taskId)
}

interface TaskLike {
  concurrent?: boolean | undefined
  suite?: TaskLike | undefined
}

/** Set on the test itself or on a suite around it. */
export function isConcurrent(task: TaskLike): boolean {
  return task.concurrent === true || (task.suite !== undefined && isConcurrent(task.suite))
}
