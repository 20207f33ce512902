import { existsSync } from 'node:fs'
import { chown, mkdir, open, readFile, rm, rmdir, stat, statfs, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { actAs, type User } from '../lib/act-as.ts'
import { PgBranchError, describeError } from '../lib/errors.ts'
import { makePrivateDir } from '../lib/own-dirs.ts'
import type { DriverName } from './registry.ts'

/** What its file system is made for. */
export const managedDriver: DriverName = 'btrfs'

export interface ManagedVolumeStatus {
  image: string
  mountPoint: string
  exists: boolean
  mounted: boolean
  /** Most that the volume can hold. 0 if it does not exist. */
  sizeBytes: number
  /** Disk that it takes now (the image is sparse). */
  allocatedBytes: number
  freeBytes: number
}

export function getManagedVolumePaths(homeDir: string): { image: string; mountPoint: string } {
  return { image: join(homeDir, 'volume.img'), mountPoint: join(homeDir, 'volume') }
}

/** Mounted so that the user can do everything else without root; `noatime` spares a write for every read. */
const mountOptions = 'loop,noatime,user_subvol_rm_allowed'

/**
 * Makes (or, after a reboot, mounts again) a btrfs volume in a sparse file below the home directory.
 * Needs root once; the volume then belongs to `owner`.
 *
 * @throws PgBranchError `PGB_VOLUME`; a volume that was being made is removed again.
 */
export async function createManagedVolume(options: {
  homeDir: string
  sizeBytes: number
  owner?: User | undefined
}): Promise<ManagedVolumeStatus> {
  const { homeDir, sizeBytes, owner } = options
  const { image, mountPoint } = getManagedVolumePaths(homeDir)
  assertPossible()
  const before = await getManagedVolumeStatus(homeDir)
  if (before.mounted) return before
  await makeHome(homeDir, owner)
  const isNew = !before.exists
  const draft = `${image}.making`
  try {
    if (isNew) {
      await rm(draft, { force: true })
      await using file = await open(draft, 'wx', 0o600)
      await file.truncate(sizeBytes)
      await run('mkfs.btrfs', ['--quiet', '--label', 'pg-branch', draft])
      await run('mv', ['--no-clobber', draft, image])
    }
    await mkdir(mountPoint, { recursive: true })
    await run('mount', ['-t', 'btrfs', '-o', mountOptions, image, mountPoint])
    if (owner !== undefined) await chown(mountPoint, owner.uid, owner.gid)
  } catch (error) {
    await rm(draft, { force: true })
    if (isNew) await rm(image, { force: true })
    await rmdir(mountPoint).catch(() => {})
    throw error
  }
  return getManagedVolumeStatus(homeDir)
}

/**
 * Makes the volume larger, also while it is in use; what an earlier try left half done is finished.
 *
 * @throws PgBranchError `PGB_VOLUME` if it is not mounted, or larger already.
 */
export async function growManagedVolume(homeDir: string, sizeBytes: number): Promise<ManagedVolumeStatus> {
  assertPossible()
  const { image, mountPoint, mounted, sizeBytes: before } = await getManagedVolumeStatus(homeDir)
  if (!mounted || sizeBytes < before) {
    throw new PgBranchError(mounted ? `${image} is larger already` : `${image} is not mounted, so it cannot grow`, {
      code: 'PGB_VOLUME',
      hint: mounted
        ? 'Give a larger one; it cannot be made smaller.'
        : 'Make or mount it with: pg-branch volume create',
    })
  }
  await truncate(image, sizeBytes)
  const { stdout } = await execa('findmnt', ['--noheadings', '--output', 'SOURCE', '--target', mountPoint])
  await run('losetup', ['--set-capacity', stdout.trim()])
  await run('btrfs', ['filesystem', 'resize', 'max', mountPoint])
  return getManagedVolumeStatus(homeDir)
}

/** With an owner (sudo) it is they who make it. */
async function makeHome(homeDir: string, owner: User | undefined): Promise<void> {
  await actAs(owner, async () => makePrivateDir(homeDir, { enterable: owner === undefined }))
}

/** Unmounts and deletes the managed volume with all that is on it. @returns false if there was none. */
export async function removeManagedVolume(homeDir: string): Promise<boolean> {
  const { image, mountPoint } = getManagedVolumePaths(homeDir)
  const status = await getManagedVolumeStatus(homeDir)
  if (status.mounted) {
    assertPossible()
    await run('umount', [mountPoint])
  }
  if (existsSync(mountPoint)) await rmdir(mountPoint)
  await rm(image, { force: true })
  return status.exists
}

export async function getManagedVolumeStatus(homeDir: string): Promise<ManagedVolumeStatus> {
  const paths = getManagedVolumePaths(homeDir)
  const mounted = await isMountPoint(paths.mountPoint)
  const fs = mounted ? await statfs(paths.mountPoint) : undefined
  let sizeBytes = 0
  let allocatedBytes = 0
  const exists = existsSync(paths.image)
  if (exists) {
    const image = await stat(paths.image)
    sizeBytes = image.size
    allocatedBytes = image.blocks * 512
  }
  return {
    ...paths,
    exists,
    mounted,
    sizeBytes,
    allocatedBytes,
    freeBytes: fs === undefined ? 0 : fs.bavail * fs.bsize,
  }
}

async function isMountPoint(path: string): Promise<boolean> {
  try {
    const mounts = await readFile('/proc/self/mounts', 'utf8')
    const escaped = path.replaceAll('\\', '\\134').replaceAll(' ', '\\040').replaceAll('\t', '\\011')
    return mounts.split('\n').some((line) => line.split(' ')[1] === escaped)
  } catch {
    return false
  }
}

function assertPossible(): void {
  if (process.platform !== 'linux') {
    throw new PgBranchError('the managed volume needs Linux', {
      code: 'PGB_VOLUME',
      hint: 'On macOS nothing is needed: APFS clones files, and the driver `reflink` uses that.',
    })
  }
  if (process.getuid?.() !== 0) {
    throw new PgBranchError('mounting the managed volume needs root', {
      code: 'PGB_VOLUME',
      hint: 'Run this one command with sudo: the volume will belong to you, and nothing else needs root.',
    })
  }
}

async function run(file: string, args: string[]): Promise<void> {
  try {
    await execa(file, args, { env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` } })
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string }
    throw new PgBranchError(`\`${file}\` failed: ${stderr?.trim() || describeError(error)}`, {
      code: 'PGB_VOLUME',
      hint:
        code === 'ENOENT'
          ? `The command ${file} is missing: install btrfs-progs (Debian, Ubuntu: apt install btrfs-progs; Fedora: dnf install btrfs-progs).`
          : 'Inside a container this needs --privileged, or CAP_SYS_ADMIN and loop devices.',
      cause: error,
    })
  }
}
