import type { DriverName } from '../config/types.ts'
import type { VolumeDriver } from './contract.ts'
import { createBtrfsDriver } from './drivers/btrfs.ts'
import { createCopyDriver } from './drivers/copy.ts'
import { createReflinkDriver } from './drivers/reflink.ts'

/** All drivers, best first. */
export const drivers: Record<DriverName, () => VolumeDriver> = {
  btrfs: createBtrfsDriver,
  reflink: createReflinkDriver,
  copy: createCopyDriver,
}
