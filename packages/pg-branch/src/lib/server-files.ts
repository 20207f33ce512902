import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { PgBranchError } from './errors.ts'
import { createFileOperations, type FileOperations } from './file-operations.ts'
import { locateModule } from './paths.ts'
import { createRpc, type Rpc } from './rpc.ts'
import { getServerIdentity, type ServerIdentity } from './server-identity.ts'

const mainFile = fileURLToPath(locateModule('./server-files-main', import.meta.url))

let known: FileOperations | undefined

/**
 * Works on files below a server's data directory with no more rights than that server has.
 *
 * Root's servers run as another user, who may do with these directories what they like: also a program that SQL has
 * started, and that is still there when its server has ended. Were root to copy by path, such a program could put a
 * link in the way and have root write, or read, wherever it leads. So a process of the server's user does it.
 */
export function getServerFiles(): FileOperations {
  const identity = getServerIdentity()
  return (known ??= identity === undefined ? createFileOperations() : createHand(identity))
}

/** States of the process: *absent*, until something is asked → *running* → *absent*, when it has died → … */
function createHand(identity: ServerIdentity): FileOperations {
  let hand: { child: ChildProcess; rpc: Rpc<FileOperations, object> } | undefined
  let pending = 0
  const start = () => {
    const child = fork(mainFile, [String(identity.uid), String(identity.gid)], {
      // Nothing of this process's own environment is for it.
      env: { PATH: process.env.PATH },
      execArgv: [],
      cwd: '/',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const rpc = createRpc<FileOperations, object>({
      functions: {},
      // What could not be sent is answered when the process has ended.
      post: (text) => void child.send(text, () => {}),
      on: (listener) => child.on('message', (text: string) => listener(text)),
    })
    const end = () => {
      if (hand?.child === child) hand = undefined
      if (child.pid !== undefined) child.kill('SIGKILL')
      rpc.$close(
        new PgBranchError('the process that works on servers’ files has ended', {
          code: 'PGB_VOLUME',
          hint: 'Something ended it, for want of memory perhaps. The next attempt starts it again.',
        }),
      )
    }
    // One that could not be started has no exit, and each message to one that is ending is an error of its own.
    child.on('error', end)
    child.once('exit', end)
    return { child, rpc }
  }
  const ask = async <T>(call: (rpc: Rpc<FileOperations, object>) => Promise<T>): Promise<T> => {
    const { child, rpc } = (hand ??= start())
    pending += 1
    setReferenced(child, true)
    try {
      return await call(rpc)
    } finally {
      pending -= 1
      if (pending === 0) setReferenced(child, false)
    }
  }
  return {
    copyTree: (options) => ask((rpc) => rpc.copyTree(options)),
    // A process that is not there remembers nothing.
    forgetTrees: async (paths) => (hand === undefined ? undefined : ask((rpc) => rpc.forgetTrees(paths))),
    copyFiles: (options) => ask((rpc) => rpc.copyFiles(options)),
    renameFiles: (renames) => ask((rpc) => rpc.renameFiles(renames)),
    removeFiles: (paths) => ask((rpc) => rpc.removeFiles(paths)),
    makeLinks: (links) => ask((rpc) => rpc.makeLinks(links)),
  }
}

/** Without work it does not keep this process alive; it ends when this process does. */
function setReferenced(child: ChildProcess, referenced: boolean): void {
  if (referenced) {
    child.ref()
    child.channel?.ref()
  } else {
    child.unref()
    child.channel?.unref()
  }
}
