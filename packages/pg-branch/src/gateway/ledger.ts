import type { GatewayWords } from './words.ts'

/** Who has a connection through a gateway. */
export interface ConnectionInfo {
  user: string
  application: string
  state: 'parked' | 'idle' | 'in transaction' | 'active'
  /** The phase, a test for instance, in which it was opened; undefined: it was before the first. */
  openedBy: string | undefined
  /** The phase in which it was used last. */
  usedBy: string | undefined
}

/** @returns a line for each kind of holder, with how many connections it has. */
export function describeHolders(
  connections: ConnectionInfo[],
  { describePhase }: Pick<GatewayWords, 'describePhase'>,
): string {
  const counts = new Map<string, number>()
  for (const { user, application, state, openedBy } of connections) {
    const who = application === '' ? user : `${user} (${application})`
    const line = `${who}, ${state}, opened ${describePhase(openedBy)}`
    counts.set(line, (counts.get(line) ?? 0) + 1)
  }
  return [...counts].map(([line, count]) => `  ${count} × ${line}`).join('\n')
}
