import { closeSync, openSync, readSync, statSync } from 'node:fs'

/** An error of a session, as a server's log has it. */
export interface ServerError {
  /** As clients are told. */
  message: string
  /** With detail, hint and statement. */
  lines: string[]
}

const maxBytes = 256 * 1024
const firstLine = /^[\d-]+ [\d:.]+ \S+ \[\d+\] (?:ERROR|FATAL|PANIC): {2}(.*)$/
const nextLine = /^[\d-]+ [\d:.]+ \S+ \[\d+\] ((?:DETAIL|HINT|STATEMENT|CONTEXT): {2}.*)$/

/** @returns what went wrong for clients since the log had so many bytes; of a long log only the end is read. */
export function readServerErrors(logFile: string, fromByte: number): ServerError[] {
  const errors: ServerError[] = []
  for (const line of readEnd(logFile, fromByte).split('\n')) {
    const [, message] = firstLine.exec(line) ?? []
    if (message !== undefined) errors.push({ message, lines: [`ERROR: ${message}`] })
    const [, more] = nextLine.exec(line) ?? []
    const last = errors.at(-1)
    if (more !== undefined) last?.lines.push(more)
    // A statement goes on behind tabs.
    else if (line.startsWith('\t')) last?.lines.push(line)
  }
  return errors
}

function readEnd(logFile: string, fromByte: number): string {
  const { size } = statSync(logFile)
  const length = Math.min(maxBytes, Math.max(0, size - fromByte))
  const buffer = Buffer.alloc(length)
  const file = openSync(logFile, 'r')
  try {
    readSync(file, buffer, 0, length, size - length)
  } finally {
    closeSync(file)
  }
  return buffer.toString('utf8')
}
