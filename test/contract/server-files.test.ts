import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openServerFile } from '../../packages/pg-branch/dist/lib/open-server-file.js'
import { getServerIdentity } from '../../packages/pg-branch/dist/lib/server-identity.js'
import { readPidFile } from '../../packages/pg-branch/dist/postgres/cluster.js'
import { keepOwn, pauseProcesses } from '../../packages/pg-branch/dist/postgres/pause.js'
import { drivers } from '../../packages/pg-branch/dist/volume/registry.js'
import { findPids, readProcess, readStat } from '../support/processes.ts'
import { setSymlinkProtection, symlinkProtections } from '../support/symlink-protection.ts'
import { startAsStranger } from '../support/stranger.ts'

// Root's servers run as another user. What SQL has started there (COPY … TO PROGRAM) may still be there when its
// server has ended, and does with the data directory what it likes while root copies it.

const dir = mkdtempSync(join(tmpdir(), 'pgb-files-'))
chmodSync(dir, 0o711)
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const user = getServerIdentity() ?? { uid: 0, gid: 0 }

/** Exchanges a directory and a link, again and again; whatever is missing for it meanwhile, it tries again. */
const swap = `import { renameSync, symlinkSync } from 'node:fs'
const [, tree, victim] = process.argv
console.log('ready')
for (;;) {
  try {
    symlinkSync(victim, tree + '/link')
  } catch {}
  try {
    renameSync(tree + '/sub', tree + '/away')
    renameSync(tree + '/link', tree + '/sub')
    renameSync(tree + '/sub', tree + '/link')
  } catch {}
  try {
    renameSync(tree + '/away', tree + '/sub')
  } catch {}
}`

function makeTree(path: string, content: string): void {
  mkdirSync(join(path, 'sub'), { recursive: true })
  for (const name of [path, join(path, 'sub')]) chownSync(name, user.uid, user.gid)
  for (let index = 0; index < 50; index += 1) {
    const file = join(path, 'sub', String(index))
    writeFileSync(file, content)
    chownSync(file, user.uid, user.gid)
  }
}

test.each(symlinkProtections)(
  'a copy that is made anew changes nothing elsewhere (protected_symlinks = %s)',
  async (protection) => {
    setSymlinkProtection(protection)
    for (const name of ['source', 'copy', 'victim']) rmSync(join(dir, name), { recursive: true, force: true })
    const [source, copy, victim] = ['source', 'copy', 'victim'].map((name) => join(dir, name)) as [
      string,
      string,
      string,
    ]
    makeTree(source, 'of the template')
    mkdirSync(victim)
    for (let index = 0; index < 50; index += 1)
      writeFileSync(join(victim, String(index)), 'root’s own', { mode: 0o600 })
    const driver = drivers.copy()
    await driver.clone({ from: source, to: copy })
    const write = `import { writeFileSync } from 'node:fs'
    const [, copy] = process.argv
    for (let i = 0; i < 50; i += 1) try { writeFileSync(copy + '/sub/' + i, 'changed') } catch {}
    console.log('ready')`
    for (let round = 0; round < 20; round += 1) {
      {
        await using _writing = await startAsStranger(write, [copy], user)
      }
      await using _swapping = await startAsStranger(swap, [copy, victim], user)
      for (let again = 0; again < 5; again += 1) await driver.clone({ from: source, to: copy }).catch(() => {})
    }
    for (let index = 0; index < 50; index += 1) {
      const file = join(victim, String(index))
      expect(readFileSync(file, 'utf8')).toBe('root’s own')
      expect(statSync(file).uid).toBe(0)
    }
  },
)

test('what is pushed is read of the server’s own files alone', async () => {
  const tree = join(dir, 'pushed')
  makeTree(tree, 'of the template')
  const file = await openServerFile(join(tree, 'sub/1'))
  expect(await file.readFile('utf8')).toBe('of the template')
  await file.close()
  writeFileSync(join(tree, 'sub/root'), 'root’s own')
  await expect(openServerFile(join(tree, 'sub/root'))).rejects.toThrow(/is not a file of the server's/)
  rmSync(join(tree, 'sub'), { recursive: true })
  mkdirSync(join(dir, 'other'))
  await expect(openServerFile(join(tree, 'sub'))).rejects.toThrow(/ENOENT/)
})

test('whoever ends the process in the middle costs one error, and the next call starts another', async () => {
  const [source, copy] = [join(dir, 'killed-source'), join(dir, 'killed-copy')]
  makeTree(source, 'x')
  const driver = drivers.copy()
  await driver.clone({ from: source, to: copy })
  const listHands = () =>
    findPids((pid) => readStat(pid)[1] === String(process.pid) && readProcess(pid, 'cmdline').includes('server-files'))
  expect(listHands()).not.toEqual([])
  for (const pid of listHands()) process.kill(pid, 'SIGKILL')
  // Both are sent before its end is known here.
  await Promise.allSettled([driver.clone({ from: source, to: copy }), driver.clone({ from: source, to: copy })])
  await driver.clone({ from: source, to: copy })
  expect(readFileSync(join(copy, 'sub/7'), 'utf8')).toBe('x')
  // Its debugger would be open to everybody.
  for (const pid of listHands()) process.kill(pid, 'SIGUSR1')
  await driver.clone({ from: source, to: copy })
})

test('pipes hold up nobody: they are not copied, put aside in a copy, and not read', async () => {
  const [source, copy] = [join(dir, 'piped-source'), join(dir, 'piped-copy')]
  makeTree(source, 'x')
  const driver = drivers.copy()
  for (let index = 0; index < 6; index += 1) execFileSync('mkfifo', [join(source, `pipe-${index}`)])
  await driver.clone({ from: source, to: copy })
  rmSync(join(copy, 'sub/1'))
  execFileSync('mkfifo', [join(copy, 'sub/1'), join(copy, 'postmaster.pid')])
  expect(readPidFile(copy)).toEqual([])
  execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, copy])
  await driver.clone({ from: source, to: copy })
  expect(readFileSync(join(copy, 'sub/1'), 'utf8')).toBe('x')
  expect(existsSync(join(copy, 'postmaster.pid'))).toBe(false)
})

test('of what a catalogue calls sessions only what the server has started is paused', async () => {
  const other = spawn('sleep', ['60'])
  const server = spawn('sh', ['-c', 'sleep 60 & wait'])
  try {
    await expect.poll(() => findPids((pid) => readStat(pid)[1] === String(server.pid))).toHaveLength(1)
    const [own = 0] = findPids((pid) => readStat(pid)[1] === String(server.pid))
    expect(await keepOwn([own, other.pid ?? 0, 1, 0, -1], server.pid ?? 0)).toEqual([own])
    for (const pid of [-1, 0, 1, 1.5]) await expect(pauseProcesses([pid])).rejects.toThrow(/is no process/)
    process.kill(own, 'SIGKILL')
  } finally {
    for (const child of [other, server]) child.kill('SIGKILL')
  }
})
