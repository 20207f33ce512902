import { existsSync } from 'node:fs'
import { execa } from 'execa'

/** Installs Debian's packages unless `file`, which belongs to them, is there. One at a time: apt takes a lock. */
export async function ensureDebianPackages(file: string, packages: string[]): Promise<void> {
  if (existsSync(file)) return
  const install = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`
  await execa('sh', ['-c', `flock /tmp/pgb-apt.lock sh -c '${install}'`], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  })
}
