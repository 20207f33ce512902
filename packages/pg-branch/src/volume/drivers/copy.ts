import { mkdir, statfs } from 'node:fs/promises'
import { describeError } from '../../lib/errors.ts'
import type { VolumeDriver } from '../contract.ts'
import { createTreeDriver, withTrialDir } from '../tree-driver.ts'

/** Plain copies: works everywhere, costs time and space in proportion to the data; used copies are rewound. */
export function createCopyDriver(): VolumeDriver {
  return createTreeDriver({
    name: 'copy',
    copyMode: 0,
    copyOnWrite: false,
    async probe(dir) {
      try {
        await withTrialDir(dir, (trial) => mkdir(`${trial}/tree`))
        await statfs(dir)
        return { usable: true }
      } catch (error) {
        return { usable: false, reason: `${dir} cannot be written to: ${describeError(error)}` }
      }
    },
  })
}
