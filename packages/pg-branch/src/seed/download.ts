import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import * as v from 'valibot'
import { PgBranchError, describeError } from '../lib/errors.ts'
import { fetchWithin } from '../lib/fetch-within.ts'
import { createRandomHex, hashValue } from '../lib/hash.ts'
import { makePrivateDir } from '../lib/own-dirs.ts'
import { readRecord } from '../lib/record.ts'
import { writeWhole } from '../lib/write-whole.ts'

interface Download {
  file: string
  /** Set if the server could not be asked, and what was fetched earlier is used. */
  notice: string | undefined
}

/** A server from which nothing has come for so long is not waited for. */
const idleMs = 30_000

/** @returns whether a dump's source is to be fetched. */
export function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source)
}

/** @returns a URL as it may be shown: what follows the `?` is often a secret, as is a password. */
export function hideSecrets(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

/**
 * Fetches a URL into `dir`, unless it is there and the server says that it has not changed (ETag or
 * Last-Modified). A file is there whole or not at all.
 *
 * @throws PgBranchError `PGB_STEP_INPUT` if it cannot be fetched and never was.
 */
export async function download(url: string, dir: string): Promise<Download> {
  const shown = hideSecrets(url)
  const place = join(dir, hashValue(url))
  const file = join(place, basename(new URL(url).pathname) || 'dump')
  const validators = (await stat(file).catch(() => undefined)) === undefined ? {} : await readValidators(place)
  try {
    const { response, body } = await fetchWithin(url, { headers: validators }, { idleMs })
    if (response.status === 304) return { file, notice: undefined }
    if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`)
    const type = response.headers.get('content-type') ?? ''
    // A page that asks to log in, or for a confirmation, comes with a good status.
    if (/^text\/html\b/i.test(type))
      throw new Error(`the server answered with a page for people (${type}), not with a dump`)
    makePrivateDir(dir)
    makePrivateDir(place)
    const draft = `${file}.${createRandomHex(4)}`
    try {
      await pipeline(Readable.from(body), createWriteStream(draft, { mode: 0o600 }))
      await rename(draft, file)
    } finally {
      await rm(draft, { force: true })
    }
    await writeValidators(place, response.headers)
    return { file, notice: undefined }
  } catch (error) {
    const why = describeError((error as Error).cause ?? error)
    if ((await stat(file).catch(() => undefined)) !== undefined) {
      return { file, notice: `${shown} could not be fetched (${why}): what was fetched earlier is used` }
    }
    throw new PgBranchError(`${shown} could not be fetched: ${why}`, {
      code: 'PGB_STEP_INPUT',
      hint: 'Open it in a browser or with curl; or fetch it yourself and give `dump` the path.',
      cause: error,
    })
  }
}

const validatorsName = '.validators.json'

const validatorsSchema = v.record(v.string(), v.string())

async function readValidators(place: string): Promise<Record<string, string>> {
  return (await readRecord(join(place, validatorsName), validatorsSchema)) ?? {}
}

async function writeValidators(place: string, headers: Headers): Promise<void> {
  const etag = headers.get('etag')
  const modified = headers.get('last-modified')
  const validators = {
    ...(etag === null ? {} : { 'if-none-match': etag }),
    ...(modified === null ? {} : { 'if-modified-since': modified }),
  }
  await writeWhole(join(place, validatorsName), JSON.stringify(validators), { mode: 0o600 })
}
