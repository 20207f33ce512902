import { serializeError, type SerializedError } from '../lib/serialized-error.ts'
import type { ArtefactStore, StoreModule } from './contract.ts'

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
const [, , module = '', address = ''] = process.argv
const opening = (async () => {
  const { openStore } = (await import(module)) as StoreModule
  return openStore(address) as unknown as Methods
})()
// Whoever asks next is told.
opening.catch(() => {})
process.on('message', (question: StoreQuestion) => {
  const { id, method, args } = question
  const answer = (rest: Omit<StoreAnswer, 'id'>) => void process.send?.({ id, ...rest })
  opening
    .then((store) => store[method]?.(...args))
    .then(
      (result) => answer({ result }),
      (error: unknown) => answer({ error: serializeError(error) }),
    )
})
process.on('disconnect', () => process.exit(0))
