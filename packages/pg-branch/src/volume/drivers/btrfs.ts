import { chmod, chown, mkdtemp, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { describeError } from '../../lib/errors.ts'
import { getServerIdentity } from '../../lib/server-identity.ts'
import type { VolumeDriver } from '../contract.ts'
import { Shell } from '../../lib/shell.ts'

/** BTRFS_SUPER_MAGIC of statfs(2). */
const btrfsMagic = 0x9123683e

/**
 * Subvolume snapshots: one operation whatever the size and number of files.
 *
 * Without root a snapshot needs no privilege; removing one quickly needs the mount option
 * `user_subvol_rm_allowed`, else its files are removed one by one (rmdir(2) takes an empty subvolume
 * since Linux 4.18).
 */
export function createBtrfsDriver(): VolumeDriver {
  // Two shells, so that removals, which are slow, do not hold up snapshots.
  const making = new Shell()
  const removal = new Shell()
  const remove = async (paths: string[]) => {
    if (paths.length === 0) return
    try {
      await removal.run('btrfs', 'subvolume', 'delete', ...paths)
    } catch {
      await removal.run('rm', '-rf', '--', ...paths)
    }
  }
  const create = async (path: string) => {
    await making.run('btrfs', 'subvolume', 'create', path)
    await chmod(path, 0o700)
    const identity = getServerIdentity()
    if (identity !== undefined) await chown(path, identity.uid, identity.gid)
  }
  return {
    name: 'btrfs',
    capabilities: { copyOnWrite: true, atomicLive: true, rewind: false },
    async probe(dir) {
      try {
        if ((await statfs(dir)).type !== btrfsMagic) return { usable: false, reason: `${dir} is not on btrfs` }
        const trial = await mkdtemp(join(dir, '.probe-'))
        try {
          await create(`${trial}/a`)
          await making.run('btrfs', 'subvolume', 'snapshot', `${trial}/a`, `${trial}/b`)
          await remove([`${trial}/a`, `${trial}/b`])
        } finally {
          await rm(trial, { recursive: true, force: true })
        }
        return { usable: true }
      } catch (error) {
        const missing = /not found/.test(describeError(error))
        return {
          usable: false,
          reason: missing
            ? 'the command `btrfs` is missing (Debian, Ubuntu: apt install btrfs-progs)'
            : describeError(error),
        }
      }
    },
    create,
    async clone({ from, to }) {
      await making.run('btrfs', 'subvolume', 'snapshot', from, to)
    },
    remove,
  }
}
