import { afterAll, beforeAll, describe } from 'vitest'
import { drivers } from '../../packages/pg-branch/dist/volume/registry.js'
import { makeVolume, type FileSystem, type TestVolume } from '../support/volumes.ts'
import { describeVolumeDriver } from './volume-driver.ts'

/** Which driver is for which file system. */
const cells: Array<[keyof typeof drivers, FileSystem]> = [
  ['btrfs', 'btrfs'],
  ['reflink', 'btrfs'],
  ['reflink', 'xfs'],
  ['copy', 'ext4'],
  ['copy', 'tmpfs'],
  ['copy', 'btrfs'],
]

describe.each([...new Set(cells.map(([, fileSystem]) => fileSystem))])('on a real %s', (fileSystem) => {
  let volume: TestVolume | undefined
  beforeAll(async () => {
    volume = await makeVolume(fileSystem)
  })
  afterAll(async () => volume?.[Symbol.asyncDispose]())

  for (const [driver, on] of cells) {
    if (on === fileSystem)
      describeVolumeDriver(driver, { makeDriver: drivers[driver], getDir: () => volume?.path ?? '' })
  }
})
