/** Statements by their first word, wherever one may begin; the second part may stand anywhere. */
const pattern =
  /(?:^|[;\n(]|\*\/)\s*(?:set|reset|listen|unlisten|prepare|deallocate|declare|discard|load|do|call|execute|security)\b|set_config|advisory|\b(?:pg_)?temp(?:orary)?\b|\bhold\b/i

/**
 * Whether a statement may leave something in its session that a new one has not: a setting, a channel, a
 * prepared statement, a temporary table, a lock. Rather once too often: then the session is asked.
 */
export function mayLeaveState(text: string): boolean {
  return pattern.test(text)
}

/** Whether a statement makes code that others may run, which sets whatever it likes. */
export function definesCode(text: string): boolean {
  return /\bcreate\s+(?:or\s+replace\s+)?(?:function|procedure)\b/i.test(text)
}
