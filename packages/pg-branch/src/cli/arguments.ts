import { PgBranchError } from '../lib/errors.ts'

const unitBytes: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/**
 * @returns bytes of e.g. `20G`, `512M`, `1073741824`.
 * @throws PgBranchError `PGB_ARGUMENT`.
 */
export function parseSize(text: string, { name, minBytes }: { name: string; minBytes: number }): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text.trim()) ?? []
  const bytes = Math.floor(Number(number) * (unitBytes[unit.toLowerCase()] ?? Number.NaN))
  if (Number.isSafeInteger(bytes) && bytes >= minBytes) return bytes
  throw new PgBranchError(`${name} is ${JSON.stringify(text)}`, {
    code: 'PGB_ARGUMENT',
    hint: `Give a size of at least ${minBytes / 1024 ** 2}M, for example 20G.`,
  })
}
