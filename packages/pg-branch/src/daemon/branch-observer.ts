import type { Branch } from '../branch/contract.ts'
import { openControl, type BranchState, type Control } from '../branch/control.ts'
import type { Origin } from '../branch/origin.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { SessionsSeen } from '../gateway/quiesce.ts'

/** What a branch itself knows, of its data and of those who are connected. */
export type Seen = BranchState & SessionsSeen

/** Remembers which origins have functions that set what their callers keep. */
const hiding = new WeakMap<Origin, boolean>()

/** Looks at the branch of a workspace, over its own connection or one that is opened once and kept. */
export class BranchObserver {
  #control: Promise<Control> | undefined

  /** @returns undefined where nothing is known of the branch as a whole, so that each session must be asked. */
  async look(
    { baseline, control, admin }: Branch,
    { gateway, origin }: { gateway: Gateway; origin: Origin },
  ): Promise<Seen | undefined> {
    if (baseline === undefined || !gateway.usage.hasBeenUsed) return undefined
    const asked = control ?? (await (this.#control ??= openControl(admin)))
    const state = await asked.readState()
    const isHiding = hiding.get(origin) ?? (await asked.findHiddenSettings())
    hiding.set(origin, isHiding)
    return { ...state, hasHidden: state.hasTemporary || gateway.usage.hasDefinedCode || isHiding }
  }

  /** The branch is another from now on. */
  end(): void {
    void this.#control?.then((control) => control.end()).catch(() => {})
    this.#control = undefined
  }
}
