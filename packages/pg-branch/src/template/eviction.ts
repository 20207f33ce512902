import { formatBytes } from '../lib/format.ts'
import type { TemplateInfo } from './catalog.ts'

export interface CacheLimits {
  maxBytes: number
  maxAgeDays: number
  /** Keys that stay whatever the limits say. */
  inUse: ReadonlySet<string>
}

export interface Evictable {
  key: string
  bytes: number
  reason: string
}

const dayMs = 86_400_000

/**
 * @param templates newest use first.
 * @returns what was not used for `maxAgeDays`, then the least recently used beyond `maxBytes`.
 */
export function findEvictable(templates: TemplateInfo[], { maxBytes, maxAgeDays, inUse }: CacheLimits): Evictable[] {
  const oldest = Date.now() - maxAgeDays * dayMs
  let total = 0
  return templates.flatMap(({ key, bytes, usedAt, isReadable }) => {
    total += bytes
    const isOld = Date.parse(usedAt) < oldest
    if (inUse.has(key) || (!isOld && total <= maxBytes)) return []
    total -= bytes
    const age = isReadable ? `not used for ${maxAgeDays} days` : 'it cannot be read'
    const reason = isOld ? age : `beyond the ${formatBytes(maxBytes)} of \`cache.maxBytes\``
    return [{ key, bytes, reason }]
  })
}
