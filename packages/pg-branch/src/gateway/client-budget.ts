import { getDescriptorLimit } from '../lib/descriptors.ts'

/** A client, and its connection to a server. */
const descriptorsPerClient = 2
/** Clients of all gateways of this process. */
let clients = 0

/** @returns how many clients all gateways may have: a quarter of all descriptors, and some more, are for the rest of the process. */
export function getMaxClients(): number {
  return Math.max(4, Math.floor((getDescriptorLimit() * 0.75 - 64) / descriptorsPerClient))
}

/** Those that have not logged in, by what lets go of them, the oldest first. */
const strangers = new Map<ClientPlace, () => void>()

export interface ClientPlace {
  /** It has logged in: from now on it is not the one that must go. */
  admit(): void
  /** It has gone. */
  leave(): void
}

/**
 * Where all places are taken, whoever has been here longest without logging in goes: clients that say nothing are
 * not to keep out those of other gateways.
 *
 * @param options.dismiss hangs up on this client.
 * @returns undefined if there is no room for one more.
 */
export function takeClientPlace({ dismiss }: { dismiss(): void }): ClientPlace | undefined {
  if (clients >= getMaxClients()) {
    const [oldest] = strangers
    if (oldest === undefined) return undefined
    const [place, dismissOldest] = oldest
    dismissOldest()
    place.leave()
  }
  clients += 1
  let isFree = false
  const place: ClientPlace = {
    admit: () => void strangers.delete(place),
    leave() {
      if (!isFree) clients -= 1
      isFree = true
      strangers.delete(place)
    },
  }
  strangers.set(place, dismiss)
  return place
}
