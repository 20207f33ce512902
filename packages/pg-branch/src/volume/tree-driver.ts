import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { getServerIdentity } from '../lib/server-identity.ts'
import type { Probe, VolumeDriver } from './contract.ts'
import { Shell } from '../lib/shell.ts'
import type { DriverName } from './registry.ts'
import { TreeCopier } from './tree.ts'

/** What `copy` and `reflink` share: trees are plain directories, cloned file by file. */
export function createTreeDriver(options: {
  name: DriverName
  copyMode: number
  copyOnWrite: boolean
  probe(dir: string): Promise<Probe>
}): VolumeDriver {
  const copier = new TreeCopier({ copyMode: options.copyMode })
  const removal = new Shell()
  const remove = async (paths: string[]) => {
    for (const path of paths) copier.forget(path)
    if (paths.length > 0) await removal.run('rm', '-rf', '--', ...paths)
  }
  return {
    name: options.name,
    capabilities: { copyOnWrite: options.copyOnWrite, atomicLive: false, rewind: true },
    probe: options.probe,
    create: makeOwnedDir,
    async clone({ from, to, isLive = false }) {
      try {
        if (isLive) await copier.copyOnce({ from, to })
        else await copier.copy({ from, to })
      } catch (error) {
        await remove([to])
        throw error
      }
    },
    remove,
  }
}

/** Makes a directory that belongs to the user whom the server runs as. */
async function makeOwnedDir(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 })
  const identity = getServerIdentity()
  if (identity !== undefined) await chown(path, identity.uid, identity.gid)
}

/** Runs `action` with a fresh directory inside `dir` and removes that afterwards. */
export async function withTrialDir<T>(dir: string, action: (trial: string) => Promise<T>): Promise<T> {
  const trial = await mkdtemp(join(dir, '.probe-'))
  try {
    return await action(trial)
  } finally {
    await rm(trial, { recursive: true, force: true })
  }
}
