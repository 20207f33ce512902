import { existsSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** `archive`: for `pg_restore`; the others hold SQL text. */
export type DumpFormat = 'plain' | 'gzip' | 'zstd' | 'archive'

/** Whether several processes can restore it at the same time. */
export interface DetectedDump {
  format: DumpFormat
  isParallel: boolean
}

/** Looks at the first bytes, whatever the name says; undefined if a directory is no dump. */
export async function detectDump(path: string): Promise<DetectedDump | undefined> {
  if ((await stat(path)).isDirectory()) {
    const isDump = ['toc.dat', 'toc.dat.gz', 'toc.dat.zst', 'toc.dat.lz4'].some((name) => existsSync(join(path, name)))
    return isDump ? { format: 'archive', isParallel: true } : undefined
  }
  const bytes = await readStart(path)
  // Source: pg_backup_archiver.c, RFC 1952, RFC 8878.
  if (bytes.toString('latin1', 0, 5) === 'PGDMP') return { format: 'archive', isParallel: true }
  if (bytes.toString('latin1', 0, 7) === 'toc.dat') return { format: 'archive', isParallel: false }
  if (bytes.readUInt16BE(0) === 0x1f8b) return { format: 'gzip', isParallel: false }
  if (bytes.readUInt32LE(0) === 0xfd2fb528) return { format: 'zstd', isParallel: false }
  return { format: 'plain', isParallel: false }
}

async function readStart(path: string): Promise<Buffer> {
  const bytes = Buffer.alloc(16)
  const handle = await open(path)
  try {
    await handle.read(bytes, 0, bytes.length, 0)
  } finally {
    await handle.close()
  }
  return bytes
}
