import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { PgBranchError } from '../lib/errors.ts'
import { locateModule } from '../lib/paths.ts'
import { deserializeError } from '../lib/serialized-error.ts'
import type { ArtefactStore, WriteOutcome } from './contract.ts'
import type { StoreAnswer, StoreOpening, StoreQuestion } from './store-main.ts'

const mainFile = fileURLToPath(locateModule('./store-main', import.meta.url))

/** Without work the process goes. */
const idleMs = 5_000

/**
 * A store that can hang without anybody else noticing: a network file system that does not answer holds the threads
 * with which a whole process reads files, and a library of somebody else's may never give up. So another process
 * asks it, and is killed when it takes too long.
 *
 * States of the process: *absent*, until something is asked → *running* → *absent*, after some idle seconds or its
 * own death → … → *given up*, for good, once it has not answered in time.
 */
export function createStoreProcess(options: {
  /** For people. */
  label: string
  module: StoreOpening['module']
  /** What its `openStore` takes. */
  address: string
  /** Variables of the process. */
  env: NodeJS.ProcessEnv
  /** What has not been answered in this time never will be. */
  answerMs: number
  hangHint: string
}): ArtefactStore {
  const { label, module, address, env, answerMs, hangHint } = options
  let child: ChildProcess | undefined
  let nextId = 1
  let failure: PgBranchError | undefined
  let idleTimer: NodeJS.Timeout | undefined
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  const rejectAll = (error: PgBranchError) => {
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
  }
  const createError = (problem: string) =>
    new PgBranchError(`the template store ${label} cannot be used: ${problem}`, { code: 'PGB_STORE', hint: hangHint })
  const end = () => {
    clearTimeout(idleTimer)
    child?.kill('SIGKILL')
    child = undefined
  }
  const settle = (id: number) => {
    const waiting = pending.get(id)
    pending.delete(id)
    if (pending.size === 0) {
      child?.unref()
      child?.channel?.unref()
      idleTimer = setTimeout(end, idleMs).unref()
    }
    return waiting
  }
  const start = (): ChildProcess => {
    const started = fork(mainFile, [], {
      env,
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    started.on('message', ({ id, result, error }: StoreAnswer) => {
      const waiting = settle(id)
      if (error === undefined) waiting?.resolve(result)
      else waiting?.reject(deserializeError(error))
    })
    started.once('exit', () => {
      if (child !== started) return
      child = undefined
      rejectAll(createError('its process ended'))
    })
    const opening: StoreOpening = { module, address }
    started.send(opening)
    return started
  }
  const ask = <T>(method: StoreQuestion['method'], args: unknown[]): Promise<T> => {
    // Who hangs once is not waited for again.
    if (failure !== undefined) return Promise.reject(failure)
    clearTimeout(idleTimer)
    child ??= start()
    child.ref()
    child.channel?.ref()
    const id = nextId++
    const question: StoreQuestion = { id, method, args }
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        failure = createError(`it has not answered for ${answerMs / 1_000} s`)
        end()
        rejectAll(failure)
      }, answerMs)
      const done = (action: () => void) => {
        clearTimeout(timer)
        action()
      }
      pending.set(id, {
        resolve: (value) => done(() => resolve(value as T)),
        reject: (error) => done(() => reject(error)),
      })
      child?.send(question)
    })
  }
  return {
    label,
    hasBlob: (blob) => ask('hasBlob', [blob]),
    readBlob: async (blob) => {
      const content = await ask<Uint8Array | undefined>('readBlob', [blob])
      return content === undefined ? undefined : Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    },
    writeBlob: (blob, content) => ask('writeBlob', [blob, content]),
    readRef: (name) => ask('readRef', [name]),
    writeRef: (name, ref, rules) => ask<WriteOutcome>('writeRef', [name, ref, rules]),
  }
}
