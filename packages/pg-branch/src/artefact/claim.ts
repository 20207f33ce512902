import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import { createRandomHex } from '../lib/hash.ts'
import { createLog } from '../lib/log.ts'
import { parseRecord } from '../lib/record.ts'
import { emptyBlob } from './blobs.ts'
import type { ArtefactStore } from './contract.ts'

const log = createLog('artefact')

/**
 * Who builds a template that many want at once.
 *
 * States of a claim: *none* → *held*, renewed every few seconds → *released*, or *abandoned* when it was
 * not renewed for some time. Time is measured by whoever waits, so that clocks need not agree. Whoever finds
 * it in any state but *held* may take it; where two could at the same moment, the last to write has it. At
 * worst two build the same: never is there half of one, since a template is named when it is whole.
 */
export type Turn =
  | { outcome: 'ours'; release(): Promise<void> }
  /** The template has appeared. */
  | { outcome: 'there' }
  /** It has not, in all the time that one would wait. */
  | { outcome: 'timeout' }

const renewMs = 4_000
const abandonedMs = 20_000
const pollMs = 500
/** After so long whoever wrote at the same moment has done so. */
const settleMs = 1_000

const fieldName = 'pg-branch.claim'

interface Claim {
  by: string
  count: number
  isReleased: boolean
}

export async function takeTurn({
  store,
  key,
  waitMs,
  onWait,
}: {
  store: ArtefactStore
  key: string
  waitMs: number
  onWait(waitedMs: number): void
}): Promise<Turn> {
  const name = `claim-${key}`
  const own: Claim = { by: createRandomHex(8), count: 0, isReleased: false }
  const startedAt = performance.now()
  let seen: { text: string; at: number } | undefined
  const read = async () => (await store.readRef(name))?.annotations[fieldName]
  const write = (claim: Claim, ifAbsent: boolean) => {
    const annotations = { [fieldName]: JSON.stringify(claim) }
    return store.writeRef(name, { manifest: emptyBlob, blobs: [], annotations }, { ifAbsent })
  }
  for (;;) {
    if ((await store.readRef(key)) !== undefined) return { outcome: 'there' }
    const text = await read()
    if (text !== seen?.text) seen = text === undefined ? undefined : { text, at: performance.now() }
    const isAbandoned = seen !== undefined && performance.now() - seen.at > abandonedMs
    if (text === undefined || isAbandoned || parseClaim(text)?.isReleased !== false) {
      const { isWritten, isExclusive } = await write(own, text === undefined)
      const isSure = isExclusive && text === undefined
      if (isWritten && !isSure) await sleep(settleMs)
      if (isWritten && (isSure || parseClaim(await read())?.by === own.by)) {
        log('building %s is ours', key)
        return { outcome: 'ours', release: holdClaim(own, (claim) => write(claim, false)) }
      }
      continue
    }
    const waitedMs = performance.now() - startedAt
    if (waitedMs > waitMs) return { outcome: 'timeout' }
    onWait(waitedMs)
    await sleep(pollMs)
  }
}

/** Renews a claim until it is released. */
function holdClaim(claim: Claim, write: (claim: Claim) => Promise<unknown>): () => Promise<void> {
  let renewing: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    claim.count += 1
    // Others take it over if it cannot be renewed.
    renewing = write(claim).catch((error: unknown) => log('claim not renewed: %O', error))
  }, renewMs)
  return async () => {
    clearInterval(timer)
    await renewing
    await write({ ...claim, isReleased: true }).catch((error: unknown) => log('claim not released: %O', error))
  }
}

const claimSchema = v.object({ by: v.string(), count: v.number(), isReleased: v.boolean() })

function parseClaim(text: string | undefined): Claim | undefined {
  const result = parseRecord(text, claimSchema)
  return result !== undefined && 'value' in result ? result.value : undefined
}
