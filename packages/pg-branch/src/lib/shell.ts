import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { PgBranchError } from './errors.ts'

interface Job {
  resolve: () => void
  reject: (error: Error) => void
  line: string
}

/**
 * Runs commands one after another in one long-lived `sh`.
 *
 * Starting a process from Node costs about 6 ms of CPU, since the whole of Node is forked; from a
 * small shell it costs a fraction. The shell ends by itself when this process does: its standard
 * input closes. It does not keep this process alive.
 */
export class Shell {
  #process: ChildProcess | undefined
  #jobs = new Map<number, Job>()
  #nextId = 1

  /** @throws Error with what the command wrote to stderr, if it exits with anything but 0. */
  run(...command: string[]): Promise<void> {
    const child = (this.#process ??= this.#start())
    const id = this.#nextId++
    const line = command.map(quote).join(' ')
    return new Promise((resolve, reject) => {
      this.#jobs.set(id, { resolve, reject, line })
      this.#setReferenced(child, true)
      // Only builtins beside the command itself: each further process costs milliseconds.
      child.stdin?.write(`o=$(${line} 2>&1 >/dev/null); echo "${id} $? $\{o%%"$n"*}"\n`)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null) return
    const closed = new Promise((resolve) => child.once('close', resolve))
    this.#setReferenced(child, true)
    child.stdin?.end()
    await closed
  }

  #start(): ChildProcess {
    // The PATH of a plain user lacks the directories in which btrfs lives.
    const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/local/sbin`, LC_ALL: 'C' }
    const child = spawn('/bin/sh', [], { stdio: ['pipe', 'pipe', 'ignore'], env, cwd: '/' })
    createInterface({ input: child.stdout }).on('line', (line) => this.#finish(child, line))
    child.stdin.on('error', () => {})
    child.stdin.write("n='\n'\n")
    child.once('error', (error) => this.#fail(child, error))
    child.once('close', () => this.#fail(child, new Error('the helper shell ended')))
    return child
  }

  #finish(child: ChildProcess, line: string): void {
    const [, id, status, output] = /^(\d+) (\d+) (.*)$/.exec(line) ?? []
    const job = this.#jobs.get(Number(id))
    if (job === undefined) return
    this.#jobs.delete(Number(id))
    if (this.#jobs.size === 0) this.#setReferenced(child, false)
    if (status === '0') return job.resolve()
    // A command that a signal has ended says nothing; the shell adds 128 to the signal's number.
    const reason = output?.trim() || (Number(status) > 128 ? `signal ${Number(status) - 128}` : `exit code ${status}`)
    job.reject(new PgBranchError(`\`${job.line}\` failed: ${reason}`, { code: 'PGB_VOLUME' }))
  }

  #fail(child: ChildProcess, error: Error): void {
    if (this.#process === child) this.#process = undefined
    for (const [id, job] of this.#jobs) {
      this.#jobs.delete(id)
      job.reject(error)
    }
  }

  #setReferenced(child: ChildProcess, referenced: boolean): void {
    for (const handle of [child, child.stdin, child.stdout] as unknown as Array<{ ref(): void; unref(): void }>) {
      if (referenced) handle.ref()
      else handle.unref()
    }
  }
}

function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`
}
