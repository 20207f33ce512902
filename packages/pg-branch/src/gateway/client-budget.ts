import { getDescriptorLimit } from '../lib/descriptors.ts'

/** A client, and its connection to a server. */
const descriptorsPerClient = 2
/** Clients of all gateways of this process. */
let clients = 0

/** @returns how many clients all gateways may have: a quarter of all descriptors, and some more, are for the rest of the process. */
export function getMaxClients(): number {
  return Math.max(4, Math.floor((getDescriptorLimit() * 0.75 - 64) / descriptorsPerClient))
}

/** @returns what to call when the client has gone; undefined if there is no room for one more. */
export function takeClientPlace(): (() => void) | undefined {
  if (clients >= getMaxClients()) return undefined
  clients += 1
  let isFree = false
  return () => {
    if (!isFree) clients -= 1
    isFree = true
  }
}
