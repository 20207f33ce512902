import { constants, lstatSync } from 'node:fs'
import { chmod, copyFile, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as yieldToLoop } from 'node:timers/promises'
import pLimit from 'p-limit'

interface TreeEntry {
  /** Relative to the tree; '' is the tree itself. */
  path: string
  /** `other`: a pipe for instance. Whoever reads one waits for ever, so none is copied. */
  kind: 'dir' | 'file' | 'link' | 'other'
  mode: number
  /** Size, modification and change time: what differs when a file was written to. */
  signature: string
}

/** Files that are copied at the same time: as many as libuv has threads for. */
const parallelCopies = 4
/** After so many synchronous stats other work gets a turn: about half a millisecond. */
const statsPerTurn = 100

/** Lists a tree, parents before children. */
async function listTree(root: string): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [readEntry(root, '')]
  let stats = 0
  for (let index = 0; index < entries.length; index += 1) {
    const dir = entries[index]
    if (dir?.kind !== 'dir') continue
    for (const name of await readdir(join(root, dir.path))) {
      const entry = tryReadEntry(root, dir.path === '' ? name : `${dir.path}/${name}`)
      if (entry !== undefined) entries.push(entry)
      if (++stats % statsPerTurn === 0) await yieldToLoop()
    }
  }
  return entries
}

async function listSource(root: string): Promise<TreeEntry[]> {
  return (await listTree(root)).filter(({ kind }) => kind !== 'other')
}

function readEntry(root: string, path: string): TreeEntry {
  const stat = lstatSync(`${root}/${path}`)
  return {
    path,
    kind: stat.isDirectory() ? 'dir' : stat.isSymbolicLink() ? 'link' : stat.isFile() ? 'file' : 'other',
    mode: stat.mode & 0o7777,
    signature: `${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}:${stat.ino}`,
  }
}

function tryReadEntry(root: string, path: string): TreeEntry | undefined {
  try {
    return readEntry(root, path)
  } catch {
    return undefined
  }
}

/**
 * Copies trees file by file, and restores such copies by re-copying only what has changed.
 *
 * Invariant: for every path in `#copies` the map holds the signature that each file of the copy had
 * right after it was copied, so a file with an equal signature still has the source's content.
 */
export class TreeCopier {
  readonly #copyMode: number
  readonly #isForced: boolean
  readonly #sources = new Map<string, TreeEntry[]>()
  readonly #copies = new Map<string, { from: string; signatures: Map<string, string> }>()

  /** @param copyMode flags of `fs.copyFile`, e.g. COPYFILE_FICLONE_FORCE. */
  constructor({ copyMode }: { copyMode: number }) {
    this.#copyMode = copyMode
    this.#isForced = (copyMode & constants.COPYFILE_FICLONE_FORCE) !== 0
  }

  /** Makes `to`, a directory that is there, equal to `from`, which must not change between calls. */
  async copy({ from, to }: { from: string; to: string }): Promise<void> {
    const source = await this.#listSource(from)
    const earlier = this.#copies.get(to)
    if (earlier?.from !== from) {
      // What is in it was copied by a process that is no more, or from elsewhere.
      const names = await readdir(to)
      await runLimited(names, (name) => rm(join(to, name), { recursive: true, force: true }))
      await this.#copyEntries({ from, to, entries: source })
      const copied = await listTree(to)
      this.#copies.set(to, { from, signatures: new Map(copied.map((entry) => [entry.path, entry.signature])) })
      return
    }
    await this.#rewind({ from, to, source, signatures: earlier.signatures })
  }

  /** Copies `from` as it is now, and remembers nothing of it. */
  async copyOnce({ from, to }: { from: string; to: string }): Promise<void> {
    await this.#copyEntries({ from, to, entries: await listSource(from) })
  }

  forget(path: string): void {
    this.#copies.delete(path)
    this.#sources.delete(path)
  }

  async #listSource(from: string): Promise<TreeEntry[]> {
    const known = this.#sources.get(from)
    // The root's own signature says whether this is still the same tree, not one made later in its place.
    if (known !== undefined && known[0]?.signature === readEntry(from, '').signature) return known
    const source = await listSource(from)
    this.#sources.set(from, source)
    return source
  }

  async #rewind(options: {
    from: string
    to: string
    source: TreeEntry[]
    signatures: Map<string, string>
  }): Promise<void> {
    const { from, to, source, signatures } = options
    const present = new Map((await listTree(to)).map((entry) => [entry.path, entry]))
    const expected = new Map(source.map((entry) => [entry.path, entry]))
    const isStale = ({ path, kind }: TreeEntry) => {
      const other = expected.get(path)
      return other === undefined || other.kind !== kind
    }
    // Children of a removed directory go with it.
    const stale = [...present.values()].filter(isStale)
    await runLimited(stale, ({ path }) => rm(join(to, path), { recursive: true, force: true }))
    const staleDirs = stale.filter(({ kind }) => kind === 'dir').map(({ path }) => `${path}/`)
    const isIntact = (entry: TreeEntry) => {
      const now = present.get(entry.path)
      if (now === undefined || isStale(now) || staleDirs.some((dir) => entry.path.startsWith(dir))) return false
      return entry.kind === 'dir' ? true : now.signature === signatures.get(entry.path)
    }
    const changed = source.filter((entry) => !isIntact(entry))
    await this.#copyEntries({ from, to, entries: changed })
    for (const { path } of stale) signatures.delete(path)
    for (const { path } of changed) signatures.set(path, readEntry(to, path).signature)
  }

  async #copyEntries({ from, to, entries }: { from: string; to: string; entries: TreeEntry[] }): Promise<void> {
    for (const entry of entries) {
      if (entry.kind !== 'dir') continue
      if (entry.path === '') await chmod(to, entry.mode)
      else await mkdir(join(to, entry.path), { mode: entry.mode })
    }
    await runLimited(
      entries.filter(({ kind }) => kind !== 'dir'),
      async (entry) => {
        const target = join(to, entry.path)
        if (entry.kind === 'link') {
          await rm(target, { force: true })
          await symlink(await readlink(join(from, entry.path)), target)
        } else {
          // macOS clones only onto nothing (clonefile(2)).
          if (this.#isForced) await rm(target, { force: true })
          await copyFile(join(from, entry.path), target, this.#copyMode)
        }
      },
    )
  }
}

/** Waits for all, also after a failure, so that nothing is still being written when the caller cleans up. */
async function runLimited<T>(items: T[], action: (item: T) => Promise<void>): Promise<void> {
  const limit = pLimit(parallelCopies)
  let failed: { error: unknown } | undefined
  await Promise.all(
    items.map((item) =>
      limit(async () => {
        if (failed !== undefined) return
        try {
          await action(item)
        } catch (error) {
          failed ??= { error }
        }
      }),
    ),
  )
  if (failed !== undefined) throw failed.error
}
