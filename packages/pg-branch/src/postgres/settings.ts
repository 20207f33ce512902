import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { PostgresVersion } from './contract.ts'
import { PgBranchError } from '../lib/errors.ts'

/**
 * Settings of every branch: nothing that makes a crash survivable, since a branch that crashed is
 * thrown away, and as little memory and as few processes as possible. Users override any of them.
 */
const branchDefaults: Record<string, string> = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  shared_buffers: '16MB',
  // As Postgres comes. Shared memory for each possible connection is touched at every start.
  max_connections: '100',
  jit: 'off',
  // A branch lives for seconds; the template was vacuumed and analysed when it was sealed.
  autovacuum: 'off',
  // Segments in the data directory go with it, also after a SIGKILL; POSIX ones would stay in /dev/shm.
  dynamic_shared_memory_type: 'mmap',
  // And what fits is taken from the main segment instead: no file of 1 MB to write for each branch.
  min_dynamic_shared_memory: '4MB',
  max_wal_size: '64MB',
  // New segments are then not filled with zeros nor old ones kept: less disk of a branch's own.
  wal_init_zero: 'off',
  wal_recycle: 'off',
  min_wal_size: '2MB',
  checkpoint_timeout: '1h',
  log_checkpoints: 'off',
}

/** Settings that make sense only with these others. */
const replicationSettings = ['max_wal_senders', 'max_logical_replication_workers']

/** Never a user's to set: they decide who can reach the server. */
const fixed: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  logging_collector: 'off',
}

/** @throws PgBranchError `PGB_CONFIG_INVALID` for extension paths on a version that knows none. */
export function createBranchSettings(
  version: PostgresVersion,
  { settings: overrides, extensionPaths }: { settings: Record<string, string>; extensionPaths: string[] },
): Record<string, string> {
  const defaults: Record<string, string> = { ...branchDefaults }
  if (version >= 18) defaults.io_method = 'sync'
  if (overrides.wal_level !== undefined && overrides.wal_level !== 'minimal') {
    for (const name of replicationSettings) delete defaults[name]
  }
  return { ...defaults, ...createExtensionSettings(version, extensionPaths), ...overrides, ...fixed }
}

/** Extensions outside the server's own directories: `share/extension` and `lib`, or `extension` and libraries directly. */
function createExtensionSettings(version: PostgresVersion, paths: string[]): Record<string, string> {
  if (paths.length === 0) return {}
  if (version < 18) {
    throw new PgBranchError(`\`postgres.extensions.paths\` needs PostgreSQL 18, and this is ${version}`, {
      code: 'PGB_CONFIG_INVALID',
      hint: 'Use the provider `system` with the extension installed where that server looks for it.',
    })
  }
  const missing = paths.find(
    (path) => !existsSync(join(path, 'share/extension')) && !existsSync(join(path, 'extension')),
  )
  if (missing !== undefined) {
    throw new PgBranchError(
      `${missing}, of \`postgres.extensions.paths\`, holds neither share/extension nor extension`,
      {
        code: 'PGB_CONFIG_INVALID',
        hint: 'Name the directory into which `make install DESTDIR=…`, or a package, put `share` and `lib`.',
      },
    )
  }
  const share = paths.map((path) => (existsSync(join(path, 'share/extension')) ? join(path, 'share') : path))
  const lib = paths.map((path) => (existsSync(join(path, 'lib')) ? join(path, 'lib') : path))
  return {
    extension_control_path: ['$system', ...share].join(':'),
    dynamic_library_path: ['$libdir', ...lib].join(':'),
  }
}

/** @returns the text of postgresql.conf. */
export function renderSettings(settings: Record<string, string>): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`)
  return `# Written by pg-branch.\n${lines.join('\n')}\n`
}

/** For the server that builds a template: work memory for indexes, rare checkpoints. */
export const buildSettings: Record<string, string> = {
  maintenance_work_mem: '256MB',
  max_wal_size: '4GB',
  shared_buffers: '128MB',
}
