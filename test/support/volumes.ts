export { makeVolume, smallestVolumeMb, type FileSystem, type TestVolume } from '@pg-branch/bench/volumes'
