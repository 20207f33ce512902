import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { execa, type ResultPromise } from 'execa'

/** Another user of the machine, without an account, who owns nothing of ours. */
export const stranger = { uid: 47_611, gid: 47_611 }

export interface StrangersDir {
  path: string
  [Symbol.dispose](): void
}

/** A directory of theirs in the temporary folder. */
export function makeStrangersDir(): StrangersDir {
  const path = mkdtempSync(join(tmpdir(), 'pgb-stranger-'))
  chownSync(path, stranger.uid, stranger.gid)
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Runs a script of Node's as them, or as another user, until it is killed; it says `ready` when it is. */
export async function startAsStranger(
  script: string,
  args: string[],
  user: { uid: number; gid: number } = stranger,
): Promise<{ process: ResultPromise; output(): string; [Symbol.asyncDispose](): Promise<void> }> {
  const child = execa(process.execPath, ['--input-type=module', '-e', script, ...args], {
    ...user,
    cwd: '/',
    env: { HOME: '/' },
    extendEnv: false,
    reject: false,
  }) as unknown as ResultPromise
  let output = ''
  child.stdout?.on('data', (chunk) => (output += String(chunk)))
  while (!output.includes('ready')) await once(child.stdout ?? process.stdin, 'data')
  return {
    process: child,
    output: () => output,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child
    },
  }
}
