import type { ResolvedConfig, UserConfig } from '../config/types.ts'
import { explainNoFastIngest } from '../ingest/settings.ts'

/** @returns what the user should hear about options that have no effect. */
export function explainOptions(config: UserConfig, resolved: ResolvedConfig): string[] {
  return [...explainFallback(resolved), ...explainNoServer(config)]
}

function explainFallback({ fastIngest, postgres }: ResolvedConfig): string[] {
  const reason = fastIngest ? explainNoFastIngest(postgres.settings) : undefined
  return reason === undefined ? [] : [`templates are built without fast ingest, because of ${reason}`]
}

/** A variable that is misspelt, or empty in CI, would else go unnoticed. */
function explainNoServer(config: UserConfig): string[] {
  const isUnset = 'server' in config && (config.server === undefined || config.server === '')
  return isUnset ? ['`server` is not set: branches are servers of our own'] : []
}
