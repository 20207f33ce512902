import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { serializeError, type SerializedError } from '../lib/serialized-error.ts'
import type { ArtefactStore, StoreModule } from './contract.ts'

/** The first message: which store. It is no argument, since everybody can read those, and an address may hold a password. */
export interface StoreOpening {
  /** A `StoreModule`: its URL, or the package whose main module it is, and the directory of that. */
  module: string | { name: string; dir: string }
  /** What its `openStore` takes. */
  address: string
}

export interface StoreQuestion {
  id: number
  method: Exclude<keyof ArtefactStore, 'label'>
  args: unknown[]
}

export interface StoreAnswer {
  id: number
  result?: unknown
  error?: SerializedError
}

type Methods = Record<string, (...args: unknown[]) => Promise<unknown>>

// The process of one store; it ends with the one that asks.
process.once('message', ({ module, address }: StoreOpening) => {
  const opening = import(findUrl(module)).then(({ openStore }: StoreModule) => openStore(address) as unknown as Methods)
  // Whoever asks next is told.
  opening.catch(() => {})
  process.on('message', (question: StoreQuestion) => void answerBy(opening, question))
})
process.on('disconnect', () => process.exit(0))

/** A process that lives long would not find a package that was installed after it had looked for it once: Node remembers. */
function findUrl(module: StoreOpening['module']): string {
  if (typeof module === 'string') return module
  return pathToFileURL(createRequire(join(module.dir, 'package.json')).resolve(module.name)).href
}

async function answerBy(opening: Promise<Methods>, { id, method, args }: StoreQuestion): Promise<void> {
  const answer = (rest: Omit<StoreAnswer, 'id'>) => void process.send?.({ id, ...rest })
  try {
    const store = await opening
    answer({ result: await store[method]?.(...args) })
  } catch (error) {
    answer({ error: serializeError(error) })
  }
}
