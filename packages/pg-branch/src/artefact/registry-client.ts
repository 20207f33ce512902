import { setTimeout as sleep } from 'node:timers/promises'
import { PgBranchError, describeError } from '../lib/errors.ts'
import { IdleError, fetchWithin } from '../lib/fetch-within.ts'
import type { Credentials } from './credentials.ts'

interface RequestOptions {
  method?: string
  headers?: Record<string, string>
  body?: string | Uint8Array<ArrayBuffer>
  /** Answers that are no errors, besides those of success. */
  accept?: number[]
}

/** What a registry said, all of it. */
export interface Answer {
  ok: boolean
  status: number
  headers: Headers
  /** After redirections. */
  url: string
  body: Buffer
}

/** Speaks HTTP with one repository: logs in when it is asked to, and tries again what may pass. */
export interface RegistryClient {
  /** @param path below the repository, or a whole URL that the registry gave. */
  request(path: string | URL, options?: RequestOptions): Promise<Answer>
  /** @throws PgBranchError `PGB_STORE` for what is not JSON, e.g. a proxy's page. */
  parse(answer: Answer): unknown
  createError(problem: string): PgBranchError
}

const attempts = 4
const firstDelayMs = 200
/** Nothing has come for so long: it will not. */
const idleMs = 20_000

export function createRegistryClient(options: {
  origin: string
  repository: string
  findCredentials(): Promise<Credentials | undefined>
}): RegistryClient {
  const { origin, repository, findCredentials } = options
  const { host, origin: ownOrigin } = new URL(origin)
  let authorization: string | undefined
  const createError = (problem: string, cause?: unknown) =>
    new PgBranchError(`the registry ${host} ${problem}`, {
      code: 'PGB_STORE',
      hint: `Log in with \`docker login ${host}\`, or set PG_BRANCH_REGISTRY_USER and PG_BRANCH_REGISTRY_PASSWORD; the repository is ${repository}.`,
      cause,
    })

  /** Reads the answer to its end, too: a connection may break anywhere. */
  const send = async (url: URL, init: RequestInit): Promise<Answer> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { response, body: pieces } = await fetchWithin(url, init, { idleMs })
        const { ok, status, headers } = response
        const mayPass = status === 429 || status >= 500
        const parts: Uint8Array[] = []
        for await (const piece of pieces) parts.push(piece)
        const body = Buffer.concat(parts)
        if (!mayPass || attempt >= attempts) return { ok, status, headers, url: response.url, body }
      } catch (error) {
        const cause = error instanceof Error ? (error.cause ?? error) : error
        const isSilent = error instanceof IdleError
        if (isSilent || attempt >= attempts) throw createError(`cannot be reached: ${describeError(cause)}`, error)
      }
      await sleep(firstDelayMs * 2 ** attempt)
    }
  }

  const parse = ({ body, url }: Answer): unknown => {
    try {
      return JSON.parse(body.toString('utf8')) as unknown
    } catch (error) {
      throw createError(`answered ${url} with what is no JSON`, error)
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
    if (fields.realm === undefined || !URL.canParse(fields.realm)) return undefined
    // Source: distribution.github.io/distribution/spec/auth/token.
    const url = new URL(fields.realm)
    // Whoever encrypts does not have a password said aloud.
    if (origin.startsWith('https:') && url.protocol !== 'https:') return undefined
    if (fields.service !== undefined) url.searchParams.set('service', fields.service)
    url.searchParams.set('scope', `repository:${repository}:pull,push`)
    const answer = await send(url, { headers: basic === undefined ? {} : { authorization: basic } })
    if (!answer.ok) return undefined
    const { token, access_token: accessToken } = parse(answer) as { token?: string; access_token?: string }
    const bearer = token ?? accessToken
    return bearer === undefined ? undefined : `Bearer ${bearer}`
  }

  return {
    createError,
    parse,
    async request(path, { method = 'GET', headers = {}, body, accept = [] } = {}) {
      const url = path instanceof URL ? new URL(path) : new URL(`/v2/${repository}/${path}`, origin)
      // Behind a proxy that encrypts for it, a registry may not know that it is spoken to so.
      if (url.host === host && ownOrigin.startsWith('https:')) url.protocol = 'https:'
      const create = (): RequestInit => {
        // A password is for the registry, not for where it keeps its blobs.
        const login = authorization === undefined || url.origin !== ownOrigin ? {} : { authorization }
        return { method, headers: { ...headers, ...login }, ...(body === undefined ? {} : { body }) }
      }
      let answer = await send(url, create())
      // Where a redirection has led to may not ask for the registry's password.
      if (answer.status === 401 && new URL(answer.url).origin === ownOrigin) {
        authorization = await logIn(answer.headers.get('www-authenticate') ?? '')
        if (authorization !== undefined) answer = await send(url, create())
      }
      if (answer.ok || accept.includes(answer.status)) return answer
      const text = answer.body.toString('utf8').trim().slice(0, 300)
      throw createError(`answered ${answer.status} to ${method} ${url.pathname}${text === '' ? '' : `: ${text}`}`)
    },
  }
}
