import { applySentinel, withholdUrls } from '../url/sentinel.ts'

/** Puts the sentinel into every variable that leads to a database of the user's. */
export function hideUrls(env: NodeJS.ProcessEnv): void {
  withholdUrls(env)
  applySentinel(env)
}
