import { isAbsolute, join, resolve } from 'node:path'
import { PgBranchError } from '../lib/errors.ts'
import { findPackageDir } from '../lib/find-package-dir.ts'
import { locateModule } from '../lib/paths.ts'
import { splitScheme } from '../lib/split-scheme.ts'
import type { ArtefactStore } from './contract.ts'
import { findCredentials } from './credentials.ts'
import { createStoreProcess } from './store-process.ts'
import { createOciStore } from './stores/oci.ts'

export interface StoreContext {
  /** To which relative paths refer. */
  baseDir: string
  /** Variables of the process that asks: they may hold how to log in. */
  env: Record<string, string | undefined>
}

/** A name or address, and a port of digits: whether it is one, URLs know. */
const hostPattern = /^([a-zA-Z0-9.-]+|\[[0-9a-fA-F:]+\])(:\d{1,4}|:[1-9]\d{4})?$/

/** Every kind of store, by the scheme of its name; what has none is a path. */
const stores: Record<string, (rest: string, context: StoreContext) => ArtefactStore> = {
  oci: (rest, { env }) => {
    const [host = '', ...path] = rest.split('/')
    const repository = path.join('/')
    const isHost = hostPattern.test(host) && URL.canParse(`https://${host}`)
    if (!isHost || !/^[a-z0-9]+([._/-]+[a-z0-9]+)*$/.test(repository)) {
      // A password that somebody has put there is not repeated.
      throw new PgBranchError(`${JSON.stringify(`oci://${rest.replace(/^.*@/, '…@')}`)} names no repository`, {
        code: 'PGB_ARGUMENT',
        hint: 'Write the host and a repository in small letters, without user and tag: oci://ghcr.io/you/app-templates. PG_BRANCH_REGISTRY_USER and PG_BRANCH_REGISTRY_PASSWORD log in.',
      })
    }
    // As Docker does, a registry on this machine is spoken to without TLS.
    const isLocal = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host)
    const origin = `${isLocal ? 'http' : 'https'}://${host}`
    return createOciStore({ origin, repository, findCredentials: () => findCredentials(host, env) })
  },
  s3: (rest, context) => openPackage({ scheme: 's3', name: '@pg-branch/s3', rest }, context),
}

/** A package has time limits of its own; this one is for a process that does not keep to them. */
const packageAnswerMs = 300_000

/** A store that a package brings, which stands among the dependencies of the project, or beside us. */
function openPackage(
  { scheme, name, rest }: { scheme: string; name: string; rest: string },
  { baseDir, env }: StoreContext,
): ArtefactStore {
  const label = `${scheme}://${rest.replace(/\?.*$/s, '').replace(/^.*@/s, '…@')}`
  const dir = findPackageDir(name, join(baseDir, 'package.json')) ?? findPackageDir(name, import.meta.url)
  if (dir === undefined) {
    throw new PgBranchError(`the template store ${label} needs the package ${name}, which is not installed`, {
      code: 'PGB_STORE',
      hint: `Install it in ${baseDir}: npm i -D ${name}`,
    })
  }
  const hangHint = 'Other projects, and runs without it, go on.'
  const answerMs = packageAnswerMs
  return createStoreProcess({ label, module: { name, dir }, address: rest, env, answerMs, hangHint })
}

const directoryModule = locateModule('./stores/directory', import.meta.url).href

/** A file system that has not answered in this time hangs. */
const fileSystemAnswerMs = 20_000

/** @returns the store of a project: the configuration's, else `PG_BRANCH_STORE`, with which CI needs none. */
export function findStoreName(configured: string | undefined, env: StoreContext['env']): string | undefined {
  const { PG_BRANCH_STORE: variable } = env
  return configured ?? (variable === '' ? undefined : variable)
}

/**
 * @param name a path, `oci://host/repository`, or `s3://bucket/prefix`.
 * @throws PgBranchError `PGB_ARGUMENT`, `PGB_STORE` if the package of its kind is not installed.
 */
export function openStore(name: string, context: StoreContext): ArtefactStore {
  const { scheme, rest } = splitScheme(name)
  if (scheme === undefined) {
    const dir = isAbsolute(name) ? name : resolve(context.baseDir, name)
    return createStoreProcess({
      label: dir,
      module: directoryModule,
      address: dir,
      env: process.env,
      answerMs: fileSystemAnswerMs,
      hangHint: 'Is it on a network file system that hangs? Other projects, and runs without it, go on.',
    })
  }
  const create = stores[scheme]
  if (create !== undefined && rest !== undefined) return create(rest, context)
  throw new PgBranchError(`${JSON.stringify(name)} is no template store that pg-branch knows`, {
    code: 'PGB_ARGUMENT',
    hint: `${storeNames} A path that begins so is written ./${name}.`,
  })
}

/** What can be given for a store, for people. */
export const storeNames = 'Give a directory, oci://host/repository, or s3://bucket/prefix.'
