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
  // Whatever else installs something on this machine, or a mirror that falters, is waited for.
  const apt = 'apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5'
  const install = `for try in 1 2 3; do ${apt} update && ${apt} install -y --no-install-recommends ${packages.join(' ')} && code=0 && break; sleep 5; done`
  await execa('flock', ['/tmp/pgb-apt.lock', 'sh', '-c', `${hold}; code=1; ${install}; ${free}; exit $code`], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  })
}

const policy = '/usr/sbin/policy-rc.d'
