import type { ResolvedConfig } from '../config/types.ts'
import type { DriverName } from '../volume/registry.ts'
import { makeRandomDir } from '../lib/own-dirs.ts'
import type { StatePaths } from '../lib/paths.ts'
import { GenerationRegister, makeGenerationDir } from '../reaper/generation.ts'
import { TemplateStore } from '../template/store.ts'
import { chooseVolume, findMemoryForBranches, findMemoryForWal, type Volume } from '../volume/choose.ts'

export interface OpenVolume {
  volume: Volume
  store: TemplateStore
  /** @returns this generation's directory for branches of a template of that size. */
  getBranchesDir(templateBytes: number): Promise<string>
  /** @returns this generation's directory in memory for the first WAL of a build by fast ingest. */
  getWalDir(): Promise<string | undefined>
}

/** The volumes in use, one for each different request; opening one registers its places for the reaper. */
export class Volumes {
  readonly #paths: StatePaths
  readonly #generation: string
  readonly #register: GenerationRegister
  readonly #open = new Map<string, Promise<OpenVolume>>()
  /** In memory, for branches and for WAL: this supervisor's alone. */
  #memoryDir: string | undefined

  constructor({ paths, generation }: { paths: StatePaths; generation: string }) {
    this.#paths = paths
    this.#generation = generation
    this.#register = new GenerationRegister(paths.stateDir)
  }

  open(config: ResolvedConfig['volume']): Promise<OpenVolume> {
    const key = JSON.stringify(config)
    const known = this.#open.get(key)
    if (known !== undefined) return known
    const opened = this.#openNew(config)
    this.#open.set(key, opened)
    // A failure is not remembered: a disk may be mounted, or room made, by the next try.
    opened.catch(() => this.#open.delete(key))
    return opened
  }

  async #openNew(config: ResolvedConfig['volume']): Promise<OpenVolume> {
    const volume = await chooseVolume({ paths: this.#paths, ...config })
    const { name } = volume.driver
    const own = { ...volume, buildsDir: await this.#makeDir(volume.buildsDir, name) }
    return {
      volume: own,
      store: new TemplateStore(own),
      getBranchesDir: async (bytes) => {
        const memory = await findMemoryForBranches(volume, bytes)
        return memory === undefined ? this.#makeDir(volume.branchesDir, name) : this.#makeMemoryDir(memory)
      },
      getWalDir: async () => {
        const memory = await findMemoryForWal()
        return memory === undefined ? undefined : this.#makeMemoryDir(memory)
      },
    }
  }

  async #makeDir(root: string, driver: DriverName): Promise<string> {
    await this.#register.add({ path: root, driver })
    return makeGenerationDir(root, this.#generation)
  }

  #makeMemoryDir(root: string): Promise<string> {
    // By a name that nobody can know: the folder is everybody's.
    this.#memoryDir ??= makeRandomDir(root)
    return this.#makeDir(this.#memoryDir, 'copy')
  }
}
