import type { VolumeDriver } from './contract.ts'
import { createBtrfsDriver } from './drivers/btrfs.ts'
import { createCopyDriver } from './drivers/copy.ts'
import { createReflinkDriver } from './drivers/reflink.ts'

/** All drivers, best first: the configuration takes these names, `doctor` tries each. */
export const drivers = {
  btrfs: (): VolumeDriver => createBtrfsDriver(),
  reflink: (): VolumeDriver => createReflinkDriver(),
  copy: (): VolumeDriver => createCopyDriver(),
}

export type DriverName = keyof typeof drivers

export const driverNames: DriverName[] = Object.keys(drivers) as DriverName[]
