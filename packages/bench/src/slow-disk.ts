import { existsSync } from 'node:fs'
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'

const root = '/sys/fs/cgroup'
const name = 'pg-branch-bench'

/** As an old hard disk, or a small cloud volume: each flush waits for its turn. */
const writesPerSecond = 300
const bytesPerSecond = 30 * 1024 ** 2

/**
 * Puts this process, and all that it starts from here on, under a limit on writes to the device of
 * `path` (cgroup v1 `blkio.throttle`, or v2 `io.max`). In v1 it holds for what is flushed by the writer
 * itself, which is what a commit waits for, and not for what the kernel writes later.
 *
 * @returns a function that lifts the limit, or why this machine has none.
 */
export async function slowDown(path: string): Promise<(() => Promise<void>) | { reason: string }> {
  const { stdout: source } = await execa('findmnt', ['-no', 'SOURCE', '-T', path])
  const { stdout: device } = await execa('lsblk', ['-ndo', 'MAJ:MIN', source])
  const id = device.trim()
  const v1 = join(root, 'blkio')
  if (existsSync(join(v1, 'blkio.throttle.write_iops_device'))) {
    await mkdir(join(v1, name), { recursive: true })
    await writeFile(join(v1, name, 'blkio.throttle.write_iops_device'), `${id} ${writesPerSecond}`)
    await writeFile(join(v1, name, 'blkio.throttle.write_bps_device'), `${id} ${bytesPerSecond}`)
    return enter(join(v1, name), v1)
  }
  const controllers = await readFile(join(root, 'cgroup.controllers'), 'utf8').catch(() => '')
  if (!controllers.split(/\s+/).includes('io')) return { reason: 'no cgroup of this machine limits writes' }
  await writeFile(join(root, 'cgroup.subtree_control'), '+io')
  await mkdir(join(root, name), { recursive: true })
  await writeFile(join(root, name, 'io.max'), `${id} wiops=${writesPerSecond} wbps=${bytesPerSecond}`)
  return enter(join(root, name), root)
}

async function enter(group: string, parent: string): Promise<() => Promise<void>> {
  await writeFile(join(group, 'cgroup.procs'), String(process.pid))
  return async () => {
    await writeFile(join(parent, 'cgroup.procs'), String(process.pid))
    await rmdir(group)
  }
}
