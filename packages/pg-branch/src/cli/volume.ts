import { readFileSync } from 'node:fs'
import { actAs, type User } from '../lib/act-as.ts'
import { formatBytes } from '../lib/format.ts'
import { PgBranchError } from '../lib/errors.ts'
import { getHomeDir } from '../lib/paths.ts'
import { stopSupervisor } from '../client/stop.ts'
import {
  createManagedVolume,
  getManagedVolumeStatus,
  growManagedVolume,
  removeManagedVolume,
} from '../volume/managed.ts'
import type { ManagedVolumeStatus } from '../volume/managed.ts'
import { parseSize } from './arguments.ts'
import { listBranches } from './branch-list.ts'
import { jsonArgument } from './call-supervisor.ts'
import { createCommand, type Command } from './command.ts'
import { print, printJson } from './print.ts'

/** mkfs.btrfs refuses less than about 110 MB. */
const minVolumeBytes = 256 * 1024 ** 2

const create = createCommand({
  meta: {
    name: 'create',
    description:
      'Make (or, after a reboot, mount again) a btrfs volume for templates and branches. Needs root once: sudo npx pg-branch volume create',
  },
  args: {
    size: { type: 'string', description: 'Most that it may hold; the file is sparse', default: '20G' },
    ...jsonArgument,
  },
  async run({ args }) {
    const sizeBytes = parseSize(args.size, { name: '--size', minBytes: minVolumeBytes })
    const { homeDir, owner } = findUser()
    const before = await getManagedVolumeStatus(homeDir)
    if (before.mounted) {
      if (args.json) printJson(before)
      else print(`there already: ${describe(before)}`)
      return
    }
    await actAs(owner, refuseWithBranches)
    const status = await createManagedVolume({ homeDir, sizeBytes, owner })
    // A running supervisor has chosen its volume already; the next one takes this.
    await actAs(owner, stopSupervisor)
    if (args.json) printJson(status)
    else print(`ready: ${describe(status)}\nThe next test run uses it.`)
  },
  examples: [
    ['sudo npx pg-branch volume create', 'once'],
    ['sudo npx pg-branch volume create --size 100G', 'only what is used takes space'],
  ],
})

const grow = createCommand({
  meta: { name: 'grow', description: 'Make the managed volume larger, also while it is in use. Needs root' },
  args: { size: { type: 'positional', description: 'Its new size, for example 40G', required: true }, ...jsonArgument },
  async run({ args }) {
    const sizeBytes = parseSize(args.size, { name: 'the size', minBytes: minVolumeBytes })
    const result = await growManagedVolume(findUser().homeDir, sizeBytes)
    if (args.json) printJson(result)
    else print(describe(result))
  },
  examples: [['sudo npx pg-branch volume grow 40G', 'what is in it stays']],
})

const status = createCommand({
  meta: { name: 'status', description: 'Say whether the managed volume is there, mounted, and how full' },
  args: jsonArgument,
  async run({ args }) {
    const result = await getManagedVolumeStatus(findUser().homeDir)
    if (args.json) printJson(result)
    else print(describe(result))
  },
  examples: [['pg-branch volume status', 'after a reboot: whether it is mounted']],
})

const remove = createCommand({
  meta: { name: 'remove', description: 'Unmount and delete the managed volume with all templates and branches on it' },
  args: jsonArgument,
  async run({ args }) {
    const { homeDir, owner } = findUser()
    await actAs(owner, refuseWithBranches)
    await actAs(owner, stopSupervisor)
    const existed = await removeManagedVolume(homeDir)
    if (args.json) printJson({ removed: existed })
    else print(existed ? 'removed' : `there was none in ${homeDir}`)
  },
  examples: [['sudo npx pg-branch volume remove', 'nothing of it is left']],
})

export const volumeCommand: Command = createCommand({
  meta: { name: 'volume', description: 'The managed copy-on-write volume (Linux)' },
  subCommands: { create, status, grow, remove },
})

function describe(status: ManagedVolumeStatus): string {
  if (!status.exists)
    return `no managed volume (${status.image} does not exist); make one with: pg-branch volume create`
  const size = `${formatBytes(status.sizeBytes)}, ${formatBytes(status.allocatedBytes)} of disk in use`
  if (!status.mounted) return `${status.image} (${size}) is not mounted; mount it with: pg-branch volume create`
  return `btrfs on ${status.mountPoint}, ${size}, ${formatBytes(status.freeBytes)} free`
}

/**
 * With sudo the volume is for the user who typed it, in their cache directory, and belongs to them.
 * From here on this process works on that user's home.
 */
function findUser(): { homeDir: string; owner: User | undefined } {
  const { SUDO_UID, SUDO_GID } = process.env
  if (process.getuid?.() !== 0 || SUDO_UID === undefined || SUDO_UID === '0') {
    return { homeDir: getHomeDir(), owner: undefined }
  }
  const owner = { uid: Number(SUDO_UID), gid: Number(SUDO_GID ?? SUDO_UID) }
  process.env.PG_BRANCH_HOME ??= `${findHomeOf(owner.uid)}/.cache/pg-branch`
  return { homeDir: getHomeDir(), owner }
}

function findHomeOf(uid: number): string {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => Number(entry.split(':')[2]) === uid)
  const home = line?.split(':')[5]
  if (home !== undefined) return home
  throw new PgBranchError(`the home directory of user ${uid} was not found`, {
    code: 'PGB_ARGUMENT',
    hint: 'Set PG_BRANCH_HOME to the directory that this user’s test runs use.',
  })
}

/**
 * A supervisor that must make room for another takes its named branches with it.
 *
 * @throws PgBranchError `PGB_ARGUMENT` if there are any.
 */
async function refuseWithBranches(): Promise<void> {
  const branches = await listBranches(undefined)
  if (branches.length === 0) return
  throw new PgBranchError(`this would end the branches ${branches.map(({ name }) => name).join(', ')}`, {
    code: 'PGB_ARGUMENT',
    hint: 'Remove them first (pg-branch branch rm NAME), or end all with: pg-branch down',
  })
}
