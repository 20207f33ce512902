import type { Verdict } from './frames.ts'
import { backend, frontend, readCString } from './messages.ts'
import { mayLeaveState } from './leaves-state.ts'
import { findBoundSettingNames, findSettingNames } from './setting-names.ts'

/** What the server still owes an answer to. */
type Pending =
  | { kind: 'parse'; name: string; isOurs: boolean; before: { message: Buffer | undefined; isAtHome: boolean } }
  /** Ends with ReadyForQuery. */
  | { kind: 'cycle'; isSync: boolean }

const wantedOfClient: ReadonlySet<number> = new Set([
  frontend.bind,
  frontend.close,
  frontend.copyDone,
  frontend.copyFail,
  frontend.describe,
  frontend.functionCall,
  frontend.parse,
  frontend.query,
  frontend.sync,
])

const wantedOfServer: ReadonlySet<number> = new Set([
  backend.commandComplete,
  backend.copyInResponse,
  backend.errorResponse,
  backend.parseComplete,
  backend.readyForQuery,
])

const statementKind = 0x53

/** Follows what goes back and forth on one connection. */
export interface Flow {
  wantsOfClient(type: number): boolean
  wantsOfServer(type: number): boolean
  /** A message from the client: what goes to the server for it. */
  onClient(message: Buffer): Verdict
  /** A message from the server: what goes to the client for it. */
  onServer(message: Buffer): Verdict
  /** Whether the server waits for a query, outside a transaction, and the client for nothing. */
  readonly isIdle: boolean
  /** Whether it would be idle but for a transaction that was left open. */
  readonly isInTransaction: boolean
  /** Whether a statement was run that may leave something in the session. */
  readonly mayHaveState: boolean
  /** Settings of the user's own, with a dot in their names, that the client may have set. */
  readonly settingNames: ReadonlySet<string>
  /** The server is another one now: named statements are there again when they are next used. */
  moveHome(): void
}

/**
 * Follows one connection: which answers are due, whether a transaction is open, and the named prepared
 * statements. Those a client knows and the present server does not are parsed there when they are used,
 * in front of the message that uses them.
 *
 * @param onStatement hears the text of every statement that is run.
 */
export function createFlow({ onStatement }: { onStatement(text: string): void }): Flow {
  const pending: Pending[] = []
  /** Parse messages of the client's named statements, as it sent them. */
  const statements = new Map<string, Buffer>()
  /** Names of the statements that the present server has. */
  const atHome = new Set<string>()
  const settingNames = new Set<string>()
  let mayHaveState = false
  let unnamed = ''
  /** Messages of the extended protocol were sent and not yet a Sync. */
  let isCycleOpen = false
  /** The server takes rows of a COPY that was begun by Execute, and ignores a Sync. */
  let isCopyingIn = false
  let status = 'I'

  const undoParse = ({ name, isOurs, before }: Extract<Pending, { kind: 'parse' }>) => {
    if (!before.isAtHome) atHome.delete(name)
    if (isOurs) return
    if (before.message === undefined) statements.delete(name)
    else statements.set(name, before.message)
  }

  const expectParse = (name: string, { isOurs }: { isOurs: boolean }) =>
    pending.push({ kind: 'parse', name, isOurs, before: { message: statements.get(name), isAtHome: atHome.has(name) } })

  /** @returns the message that uses a statement, behind another that makes it if it must. */
  const withStatement = (name: string, message: Buffer): Verdict => {
    const parse = statements.get(name)
    if (name === '' || parse === undefined || atHome.has(name)) return 'pass'
    expectParse(name, { isOurs: true })
    atHome.add(name)
    return [parse, message]
  }

  const onParse = (message: Buffer): Verdict => {
    const { text: name, next } = readCString(message, 5)
    expectParse(name, { isOurs: false })
    if (name === '') unnamed = readCString(message, next).text
    else {
      // The chunk that it came in should not be kept for it.
      statements.set(name, Buffer.from(message))
      atHome.add(name)
    }
    return 'pass'
  }

  /** Nothing is under way, but for a transaction perhaps. */
  const isQuiet = () => pending.length === 0 && !isCycleOpen && !isCopyingIn

  const noteStatement = (text: string) => {
    onStatement(text)
    mayHaveState ||= mayLeaveState(text)
    for (const setting of findSettingNames(text)) settingNames.add(setting)
  }

  const onBind = (message: Buffer): Verdict => {
    const { next } = readCString(message, 5)
    const { text: name } = readCString(message, next)
    const parse = statements.get(name)
    const text = name === '' || parse === undefined ? unnamed : readCString(parse, readCString(parse, 5).next).text
    noteStatement(text)
    for (const setting of findBoundSettingNames(text, message)) settingNames.add(setting)
    return withStatement(name, message)
  }

  return {
    settingNames,
    wantsOfClient: (type) => wantedOfClient.has(type),
    wantsOfServer: (type) => wantedOfServer.has(type),
    onClient(message) {
      const type = message[0]
      if (type === frontend.query || type === frontend.functionCall) {
        if (type === frontend.query) noteStatement(readCString(message, 5).text)
        pending.push({ kind: 'cycle', isSync: false })
        return 'pass'
      }
      if (type === frontend.sync) {
        isCycleOpen = false
        if (!isCopyingIn) pending.push({ kind: 'cycle', isSync: true })
        return 'pass'
      }
      if (type === frontend.copyDone || type === frontend.copyFail) {
        isCopyingIn = false
        return 'pass'
      }
      isCycleOpen = true
      if (type === frontend.parse) return onParse(message)
      if (type === frontend.bind) return onBind(message)
      const isStatement = message[5] === statementKind
      const { text: name } = readCString(message, 6)
      if (type === frontend.describe && isStatement) return withStatement(name, message)
      if (type === frontend.close && isStatement) {
        statements.delete(name)
        atHome.delete(name)
      }
      return 'pass'
    },
    onServer(message) {
      const type = message[0]
      if (type === backend.parseComplete) {
        const first = pending.shift()
        return first?.kind === 'parse' && first.isOurs ? 'swallow' : 'pass'
      }
      if (type === backend.readyForQuery) {
        status = String.fromCharCode(message[5] as number)
        for (let next = pending.shift(); next?.kind === 'parse'; next = pending.shift()) undoParse(next)
        return 'pass'
      }
      if (type === backend.errorResponse) isCopyingIn = false
      else if (type === backend.copyInResponse) {
        // Postgres ignores the Sync that clients send right behind the Execute of a COPY.
        const index = pending.findIndex(({ kind }) => kind === 'cycle')
        const cycle = pending[index]
        if (cycle === undefined || (cycle.kind === 'cycle' && cycle.isSync)) {
          if (cycle !== undefined) pending.splice(index, 1)
          isCopyingIn = true
        }
      } else if (type === backend.commandComplete) {
        const { text: tag } = readCString(message, 5)
        if (tag === 'DEALLOCATE ALL' || tag === 'DISCARD ALL') {
          statements.clear()
          atHome.clear()
        }
      }
      return 'pass'
    },
    get mayHaveState() {
      return mayHaveState
    },
    get isIdle() {
      return isQuiet() && status === 'I'
    },
    get isInTransaction() {
      return isQuiet() && status !== 'I'
    },
    moveHome() {
      atHome.clear()
    },
  }
}
