/** Variables of ours that are for a store alone: neither the user's code nor what outlives a run has them. */
const names = new Set(['PG_BRANCH_SIGNING_KEY', 'PG_BRANCH_REGISTRY_PASSWORD'])

export function withoutOwnSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.has(name)))
}
