import { createLog } from './log.ts'

const log = createLog('undo')

/**
 * Undo actions of a creation in progress, run newest first.
 *
 * `commit()` forgets them once the creation is published; leaving the scope (`await using`) before
 * that runs them all, and one that fails does not stop the others.
 */
export class UndoStack {
  #actions: Array<() => unknown> = []

  push(action: () => unknown): void {
    this.#actions.push(action)
  }

  commit(): void {
    this.#actions = []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const action of this.#actions.splice(0).toReversed()) {
      try {
        await action()
      } catch (error) {
        log('undo action failed: %O', error)
      }
    }
  }
}
