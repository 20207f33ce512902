import { mkdtempSync } from 'node:fs'
import { chmod, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { ensureDebianPackages } from './debian.ts'

export type FileSystem = 'btrfs' | 'xfs' | 'ext4' | 'tmpfs'

export interface TestVolume {
  fileSystem: FileSystem
  path: string
  /** Takes it away from under whatever uses it. */
  detach(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const makers: Record<Exclude<FileSystem, 'tmpfs'>, [program: string, ...args: string[]]> = {
  btrfs: ['mkfs.btrfs', '--quiet'],
  xfs: ['mkfs.xfs', '-q', '-m', 'reflink=1'],
  ext4: ['mkfs.ext4', '-q', '-F'],
}
const packages = { btrfs: 'btrfs-progs', xfs: 'xfsprogs', ext4: 'e2fsprogs' }
/** xfs refuses to be smaller than 300 MB. */
export const smallestVolumeMb = 320

/** Makes a real file system in a loop-mounted file (or mounts a tmpfs) and unmounts it afterwards. */
export async function makeVolume(fileSystem: FileSystem, sizeMb = 2048): Promise<TestVolume> {
  const dir = mkdtempSync(join(tmpdir(), `pgb-${fileSystem}-`))
  await chmod(dir, 0o711)
  const path = join(dir, 'mount')
  await execa('mkdir', [path])
  if (fileSystem === 'tmpfs') {
    await execa('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', path])
  } else {
    const [program, ...args] = makers[fileSystem]
    const files = ['/sbin', '/usr/sbin', '/usr/bin'].map((dir) => join(dir, program))
    await ensureDebianPackages(files, [packages[fileSystem]])
    const image = join(dir, 'image')
    const file = await open(image, 'w')
    await file.truncate(sizeMb * 1024 ** 2)
    await file.close()
    await execa(program, [...args, image])
    await execa('mount', ['-o', 'loop,noatime', image, path])
  }
  await chmod(path, 0o711)
  let isMounted = true
  return {
    fileSystem,
    path,
    async detach() {
      await execa('umount', ['--lazy', path])
      isMounted = false
    },
    async [Symbol.asyncDispose]() {
      if (isMounted) await execa('umount', [path])
      await rm(dir, { recursive: true, force: true })
    },
  }
}
