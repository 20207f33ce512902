/**
 * @param short how often a fault is tried in CI.
 * @returns how often it is tried here: `npm run faults -- --rounds N` asks for more.
 */
export function countRounds(short: number): number {
  const asked = Number(process.env.PGB_FAULT_ROUNDS ?? 0)
  return Math.max(short, asked)
}
