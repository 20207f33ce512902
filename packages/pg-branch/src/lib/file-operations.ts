import { chmod, copyFile, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { getErrorCode } from './errors.ts'
import { TreeCopier } from './tree-copier.ts'

/** What is done to files that belong to the user of a server. Paths are absolute, unless said otherwise. */
export interface FileOperations {
  /**
   * Makes `to`, a directory that is there, equal to `from`. Of a tree that is not live, and never changes between
   * calls, it is remembered what was copied, so that the same copy is made anew by copying what has changed.
   */
  copyTree(options: TreeCopy): Promise<void>
  forgetTrees(paths: string[]): Promise<void>
  /** @param options.files relative to both directories; the copies can be read by their owner alone. */
  copyFiles(options: { from: string; to: string; files: string[] }): Promise<void>
  renameFiles(renames: Array<{ from: string; to: string }>): Promise<void>
  /** One that is not there is no error. */
  removeFiles(paths: string[]): Promise<void>
  /** @returns the paths at which there was something already, which is left as it is. */
  makeLinks(links: Array<{ path: string; target: string }>): Promise<string[]>
}

export interface TreeCopy {
  from: string
  to: string
  /** Flags of `fs.copyFile`, e.g. COPYFILE_FICLONE_FORCE. */
  copyMode: number
  isLive: boolean
}

export function createFileOperations(): FileOperations {
  const copiers = new Map<number, TreeCopier>()
  const getCopier = (copyMode: number) => {
    const copier = copiers.get(copyMode) ?? new TreeCopier({ copyMode })
    copiers.set(copyMode, copier)
    return copier
  }
  return {
    async copyTree({ copyMode, isLive, from, to }) {
      const copier = getCopier(copyMode)
      await (isLive ? copier.copyOnce({ from, to }) : copier.copy({ from, to }))
    },
    async forgetTrees(paths) {
      for (const copier of copiers.values()) for (const path of paths) copier.forget(path)
    },
    async copyFiles({ from, to, files }) {
      for (const file of files) {
        await copyFile(join(from, file), join(to, file))
        await chmod(join(to, file), 0o600)
      }
    },
    async renameFiles(renames) {
      for (const { from, to } of renames) await rename(from, to)
    },
    async removeFiles(paths) {
      for (const path of paths) await rm(path, { force: true })
    },
    async makeLinks(links) {
      const taken: string[] = []
      for (const { path, target } of links) {
        try {
          await symlink(target, path)
        } catch (error) {
          if (getErrorCode(error) !== 'EEXIST') throw error
          taken.push(path)
        }
      }
      return taken
    },
  }
}
