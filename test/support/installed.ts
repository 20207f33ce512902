import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'

const testDir = fileURLToPath(new URL('..', import.meta.url))
const packagesDir = join(testDir, '../packages')

const packages = {
  'pg-branch': 'pg-branch',
  'vitest-environment-pg-branch': 'vitest',
  'jest-environment-pg-branch': 'jest',
  '@pg-branch/testcontainers': 'testcontainers',
  '@pg-branch/s3': 's3',
}

export type Installer = 'npm' | 'pnpm'
export type VitestVersion = 4 | 5
export type JestVersion = 29 | 30

/** Where `installPackages` has put them; workers inherit it. */
const dirVariable = 'PGB_TEST_INSTALLED'

/** What a user has beside our packages, from here: it is what they find as their peers. */
const peers = ['vitest', 'jest', 'jest-environment-jsdom', 'jsdom', 'happy-dom'] as const

interface Variant {
  installer: Installer
  vitest: VitestVersion
  jest: JestVersion
}

const variants: Variant[] = [
  { installer: 'npm', vitest: 4, jest: 30 },
  { installer: 'npm', vitest: 5, jest: 30 },
  { installer: 'npm', vitest: 4, jest: 29 },
  { installer: 'pnpm', vitest: 4, jest: 30 },
]

const nameVariant = ({ installer, vitest, jest }: Variant) => `${installer}-vitest${vitest}-jest${jest}`

/** @returns the `node_modules` in which our packages are installed, beside peers in these versions. */
export function findInstalled(variant: Partial<Variant> = {}): string {
  const dir = join(
    process.env[dirVariable] ?? '/nowhere',
    nameVariant({ installer: 'npm', vitest: 4, jest: 30, ...variant }),
    'node_modules',
  )
  if (existsSync(dir)) return dir
  throw new Error(`there is no ${dir}: is it in the list of variants, and did global-setup.ts run?`)
}

/** @returns the tarballs that would be published, by the names of their packages. */
export async function packAll(dir: string): Promise<Record<keyof typeof packages, string>> {
  const tarballs = Object.entries(packages).map(async ([name, folder]) => {
    const args = ['--yes', 'pnpm@10.34.9', 'pack', '--json', '--pack-destination', dir]
    const { stdout } = await execa('npx', args, { cwd: join(packagesDir, folder) })
    return [name, (JSON.parse(stdout.slice(stdout.indexOf('{'))) as { filename: string }).filename] as const
  })
  return Object.fromEntries(await Promise.all(tarballs)) as Record<keyof typeof packages, string>
}

/** Packs our packages and installs them by npm and by pnpm, as users do; tests run what is there. */
export async function installPackages(): Promise<string> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'pgb-installed-')))
  // Some tests run them as another user.
  chmodSync(dir, 0o755)
  const tarballs = await packAll(dir)
  await Promise.all([installByNpm(join(dir, 'npm'), tarballs), installByPnpm(join(dir, 'pnpm'), tarballs)])
  for (const variant of variants) {
    const to = join(dir, nameVariant(variant))
    execFileSync('cp', ['-al', join(dir, variant.installer), to])
    for (const name of Object.keys(packages)) linkPeers(dirname(realpathSync(join(to, 'node_modules', name))), variant)
  }
  process.env[dirVariable] = dir
  return dir
}

async function installByNpm(dir: string, tarballs: Record<string, string>): Promise<void> {
  mkdirSync(dir)
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'user', private: true }))
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--legacy-peer-deps']
  await execa('npm', ['install', ...flags, ...Object.values(tarballs)], { cwd: dir })
}

async function installByPnpm(dir: string, tarballs: Record<string, string>): Promise<void> {
  mkdirSync(dir)
  const files = Object.fromEntries(Object.entries(tarballs).map(([name, path]) => [name, `file:${path}`]))
  // Our packages name each other by version, which the registry does not have yet.
  const manifest = { name: 'user', private: true, dependencies: files, pnpm: { overrides: files } }
  writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest))
  const flags = ['--prefer-offline', '--config.auto-install-peers=false', '--config.strict-peer-dependencies=false']
  await execa('npx', ['--yes', 'pnpm@10.34.9', 'install', ...flags], { cwd: dir })
}

/** Beside one of our packages, which finds its peers there. */
function linkPeers(modulesDir: string, { vitest, jest }: Variant): void {
  const parent = modulesDir.endsWith('/@pg-branch') ? dirname(modulesDir) : modulesDir
  for (const peer of peers) {
    const from = peer === 'vitest' && vitest === 5 ? 'vitest-5' : peer === 'jest' && jest === 29 ? 'jest-29' : peer
    if (!existsSync(join(parent, peer)))
      symlinkSync(realpathSync(join(testDir, 'node_modules', from)), join(parent, peer))
  }
}
