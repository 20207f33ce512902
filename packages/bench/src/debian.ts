import { existsSync } from 'node:fs'
import { execa } from 'execa'

/** Installs Debian's packages unless one of `files`, which belong to them, is there. One at a time: apt takes a lock. */
export async function ensureDebianPackages(
  files: string[],
  packages: string[],
  { startServices = true }: { startServices?: boolean } = {},
): Promise<void> {
  if (files.some((file) => existsSync(file))) return
  // Debian's way to install a service without starting it (policy-rc.d).
  const hold = startServices
    ? 'true'
    : `test -e ${policy} || { printf "#!/bin/sh\\nexit 101\\n" >${policy}; chmod 755 ${policy}; }`
  const free = startServices ? 'true' : `rm -f ${policy}`
  const install = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`
  await execa('flock', ['/tmp/pgb-apt.lock', 'sh', '-c', `${hold}; ${install}; code=$?; ${free}; exit $code`], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  })
}

const policy = '/usr/sbin/policy-rc.d'
