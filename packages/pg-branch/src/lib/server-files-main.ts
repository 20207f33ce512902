import { createFileOperations } from './file-operations.ts'
import { createRpc } from './rpc.ts'

// The server's user may send it signals: this one would open Node's debugger to everybody on the machine.
process.on('SIGUSR1', () => {})

// Started by root (server-files.ts), since the server's user may not even be able to read this file. Everything is
// loaded by now; from here on it has that user's rights and no others.
const [uid, gid] = process.argv.slice(2).map(Number)
const { setgroups, setgid, setuid } = process
if (uid === undefined || gid === undefined || !(uid > 0) || setgroups === undefined) throw new Error('no user to be')
try {
  setgroups([])
} catch {
  // Not allowed in some user namespaces, where there are none to give up; servers start there all the same.
}
setgid?.(gid)
setuid?.(uid)
process.umask(0)

createRpc<object, ReturnType<typeof createFileOperations>>({
  functions: createFileOperations(),
  post: (text) => process.send?.(text),
  on: (listener) => process.on('message', (text: string) => listener(text)),
})
// A thread that waits for a file would hold up an orderly end.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
