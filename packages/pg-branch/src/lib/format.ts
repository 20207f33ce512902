const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB']

/** @returns e.g. `39 MB`; units of 1024, as Postgres writes them. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value >= 10 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${byteUnits[unit]}`
}

/** @returns e.g. `840 ms`, `12.3 s`, `2 min 05 s`, `24 h 00 min` or `7 days`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`
  if (durationMs < 60_000) return `${(durationMs / 1000).toFixed(1)} s`
  const seconds = Math.round(durationMs / 1000)
  if (seconds < 3600) return formatPair([Math.floor(seconds / 60), 'min'], [seconds % 60, 's'])
  const minutes = Math.round(seconds / 60)
  if (minutes < 48 * 60) return formatPair([Math.floor(minutes / 60), 'h'], [minutes % 60, 'min'])
  return `${Math.round(minutes / 60 / 24)} days`
}

function formatPair([large, unit]: [number, string], [small, smallUnit]: [number, string]): string {
  return `${large} ${unit} ${String(small).padStart(2, '0')} ${smallUnit}`
}
