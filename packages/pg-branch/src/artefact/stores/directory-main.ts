import { serializeError, type SerializedError } from '../../lib/serialized-error.ts'
import type { ArtefactStore } from '../contract.ts'
import { createDirectoryStore } from './directory.ts'

export interface StoreQuestion {
  id: number
  method: Exclude<keyof ArtefactStore, 'label' | 'capabilities'>
  args: unknown[]
}

export interface StoreAnswer {
  id: number
  result?: unknown
  error?: SerializedError
}

// The process of one directory store; it ends with the one that asks.
const store = createDirectoryStore(process.argv[2] ?? '') as unknown as Record<
  string,
  (...args: unknown[]) => Promise<unknown>
>
process.on('message', (question: StoreQuestion) => {
  const { id, method, args } = question
  const answer = (rest: Omit<StoreAnswer, 'id'>) => void process.send?.({ id, ...rest })
  Promise.resolve(store[method]?.(...args)).then(
    (result) => answer({ result }),
    (error: unknown) => answer({ error: serializeError(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
