import { register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'

/** Runs in Node's loader thread: reports each file that is imported natively. */
const hookSource = `
let port
export function initialize(data) { port = data.port }
export async function resolve(specifier, context, next) {
  const result = await next(specifier, context)
  if (result.url.startsWith('file:')) port.postMessage(result.url)
  return result
}`

/**
 * From now on notes every ES module that this process imports natively; what jiti transpiles is in
 * its own cache instead. Source: Node's module customization hooks (nodejs.org/api/module.html).
 */
export function recordImports(): { list(): string[] } {
  const { port1, port2 } = new MessageChannel()
  register(`data:text/javascript,${encodeURIComponent(hookSource)}`, {
    data: { port: port2 },
    transferList: [port2],
  })
  port1.unref()
  return {
    list() {
      const files: string[] = []
      for (let item = receiveMessageOnPort(port1); item !== undefined; item = receiveMessageOnPort(port1)) {
        files.push(fileURLToPath(String(item.message)))
      }
      return files
    },
  }
}
