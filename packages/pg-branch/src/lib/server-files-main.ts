import { createFileOperations } from './file-operations.ts'
import { createRpc } from './rpc.ts'

// Started by root (server-files.ts), since the server's user may not even be able to read this file. Everything is
// loaded by now; from here on it has that user's rights and no others.
const [uid, gid] = process.argv.slice(2).map(Number)
const { setgroups, setgid, setuid } = process
if (uid === undefined || gid === undefined || !(uid > 0) || setgroups === undefined) throw new Error('no user to be')
setgroups([])
setgid?.(gid)
setuid?.(uid)
process.umask(0)

createRpc<object, ReturnType<typeof createFileOperations>>({
  functions: createFileOperations(),
  post: (text) => process.send?.(text),
  on: (listener) => process.on('message', (text: string) => listener(text)),
})
process.once('disconnect', () => process.exit())
