import { setTimeout as sleep } from 'node:timers/promises'
import { PgBranchError, describeError } from '../lib/errors.ts'
import type { Credentials } from './credentials.ts'

interface RequestOptions {
  method?: string
  headers?: Record<string, string>
  body?: string | Uint8Array<ArrayBuffer>
  /** Answers that are no errors, besides those of success. */
  accept?: number[]
}

/** Speaks HTTP with one repository: logs in when it is asked to, and tries again what may pass. */
export interface RegistryClient {
  /** @param path below the repository, or a whole URL that the registry gave. */
  request(path: string | URL, options?: RequestOptions): Promise<Response>
  createError(problem: string): PgBranchError
}

const attempts = 4
const firstDelayMs = 200
const timeoutMs = 60_000

export function createRegistryClient(options: {
  origin: string
  repository: string
  findCredentials(): Promise<Credentials | undefined>
}): RegistryClient {
  const { origin, repository, findCredentials } = options
  const { host } = new URL(origin)
  let authorization: string | undefined
  const createError = (problem: string, cause?: unknown) =>
    new PgBranchError(`the registry ${host} ${problem}`, {
      code: 'PGB_STORE',
      hint: `Log in with \`docker login ${host}\`, or set PG_BRANCH_REGISTRY_USER and PG_BRANCH_REGISTRY_PASSWORD; the repository is ${repository}.`,
      cause,
    })

  const send = async (url: URL, { method = 'GET', headers = {}, body }: RequestOptions) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        // A password is for the registry, not for where it keeps its blobs.
        const login = authorization === undefined || url.host !== host ? {} : { authorization }
        const init = { method, headers: { ...headers, ...login }, signal: AbortSignal.timeout(timeoutMs) }
        const response = await fetch(url, body === undefined ? init : { ...init, body })
        const mayPass = response.status === 429 || response.status >= 500
        if (!mayPass || attempt >= attempts) return response
      } catch (error) {
        const cause = error instanceof Error ? (error.cause ?? error) : error
        if (attempt >= attempts) throw createError(`cannot be reached: ${describeError(cause)}`, error)
      }
      await sleep(firstDelayMs * 2 ** attempt)
    }
  }

  const logIn = async (challenge: string) => {
    const credentials = await findCredentials()
    const basic =
      credentials === undefined
        ? undefined
        : `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`
    if (/^basic/i.test(challenge)) return basic
    const fields = Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map((match) => [match[1], match[2]]))
    if (fields.realm === undefined) return undefined
    // Source: distribution.github.io/distribution/spec/auth/token.
    const url = new URL(fields.realm)
    if (fields.service !== undefined) url.searchParams.set('service', fields.service)
    url.searchParams.set('scope', `repository:${repository}:pull,push`)
    const response = await fetch(url, {
      headers: basic === undefined ? {} : { authorization: basic },
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (!response.ok) return undefined
    const answer = (await response.json()) as { token?: string; access_token?: string }
    const token = answer.token ?? answer.access_token
    return token === undefined ? undefined : `Bearer ${token}`
  }

  return {
    createError,
    async request(path, request = {}) {
      const url = path instanceof URL ? path : new URL(`/v2/${repository}/${path}`, origin)
      let response = await send(url, request)
      if (response.status === 401) {
        authorization = await logIn(response.headers.get('www-authenticate') ?? '')
        if (authorization !== undefined) response = await send(url, request)
      }
      if (response.ok || request.accept?.includes(response.status) === true) return response
      const text = (await response.text().catch(() => '')).trim().slice(0, 300)
      throw createError(
        `answered ${response.status} to ${request.method ?? 'GET'} ${url.pathname}${text === '' ? '' : `: ${text}`}`,
      )
    },
  }
}
