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

const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const maxTtlMs = 10 * 365 * 86_400_000

/**
 * @returns milliseconds of e.g. `90s`, `30m`, `24h`, `7d`, `2w`; null for `never`.
 * @throws PgBranchError `PGB_ARGUMENT`.
 */
export function parseTtl(text: string, { name }: { name: string }): number | null {
  if (text === 'never') return null
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text.trim()) ?? []
  const ms = Math.round(Number(number) * (unitMs[unit] ?? Number.NaN))
  if (ms >= 1_000 && ms <= maxTtlMs) return ms
  throw new PgBranchError(`${name} is ${JSON.stringify(text)}`, {
    code: 'PGB_ARGUMENT',
    hint: 'Give a time of at least a second, for example 90s, 30m, 24h, 7d or 2w; or `never`.',
  })
}

/**
 * @returns the labels of e.g. `owner=me,pr=12`.
 * @throws PgBranchError `PGB_ARGUMENT`.
 */
export function parseLabels(text: string | undefined): Record<string, string> {
  if (text === undefined) return {}
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [, key, value] = /^([a-zA-Z0-9][\w./-]*)=(.*)$/.exec(pair) ?? []
      if (key !== undefined && value !== undefined) return [key, value]
      throw new PgBranchError(`--label has ${JSON.stringify(pair)}`, {
        code: 'PGB_ARGUMENT',
        hint: 'Write names and values, parted by commas: --label owner=me,pr=12',
      })
    }),
  )
}

/**
 * @returns a whole number that is not negative.
 * @throws PgBranchError `PGB_ARGUMENT`.
 */
export function parseCount(text: string, { name }: { name: string }): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new PgBranchError(`${name} is ${JSON.stringify(text)}`, { code: 'PGB_ARGUMENT', hint: 'Give a whole number.' })
}
