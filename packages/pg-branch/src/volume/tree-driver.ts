import { existsSync } from 'node:fs'
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { getServerFiles } from '../lib/server-files.ts'
import { getServerIdentity } from '../lib/server-identity.ts'
import type { Probe, VolumeDriver } from './contract.ts'
import { Shell } from '../lib/shell.ts'
import type { DriverName } from './registry.ts'

/** What `copy` and `reflink` share: trees are plain directories, cloned file by file. */
export function createTreeDriver(options: {
  name: DriverName
  copyMode: number
  copyOnWrite: boolean
  probe(dir: string): Promise<Probe>
}): VolumeDriver {
  const { copyMode } = options
  const removal = new Shell()
  const remove = async (paths: string[]) => {
    if (paths.length === 0) return
    await getServerFiles().forgetTrees(paths)
    await removal.run('rm', '-rf', '--', ...paths)
  }
  return {
    name: options.name,
    capabilities: { copyOnWrite: options.copyOnWrite, atomicLive: false, rewind: true },
    probe: options.probe,
    create: makeOwnedDir,
    async clone({ from, to, isLive = false }) {
      try {
        if (!existsSync(to)) await makeOwnedDir(to)
        await getServerFiles().copyTree({ from, to, copyMode, isLive })
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
