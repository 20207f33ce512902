import { constants } from 'node:fs'
import { copyFile, writeFile } from 'node:fs/promises'
import { describeError, getErrorCode } from '../../lib/errors.ts'
import type { VolumeDriver } from '../contract.ts'
import { createTreeDriver, withTrialDir } from '../tree-driver.ts'

/**
 * Copies that share their blocks, file by file (ioctl_ficlone(2); clonefile(2) on macOS): xfs with
 * reflink, btrfs, APFS, bcachefs. Costs time in proportion to the number of files.
 */
export function createReflinkDriver(): VolumeDriver {
  return createTreeDriver({
    name: 'reflink',
    copyMode: constants.COPYFILE_FICLONE_FORCE,
    copyOnWrite: true,
    async probe(dir) {
      try {
        await withTrialDir(dir, async (trial) => {
          await writeFile(`${trial}/a`, 'x'.repeat(8192))
          await copyFile(`${trial}/a`, `${trial}/b`, constants.COPYFILE_FICLONE_FORCE)
        })
        return { usable: true }
      } catch (error) {
        const unsupported = ['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EINVAL', 'ENOTTY'].includes(
          getErrorCode(error) ?? '',
        )
        return {
          usable: false,
          reason: unsupported
            ? `the file system of ${dir} cannot share blocks between files (FICLONE: ${getErrorCode(error)})`
            : `${dir} cannot be written to: ${describeError(error)}`,
        }
      }
    },
  })
}
