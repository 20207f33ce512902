import type { ResolvedConfig } from '../config/types.ts'
import type { StatePaths } from '../lib/paths.ts'
import { TemplateStore } from '../template/store.ts'
import { chooseBranchesDir, chooseVolume, chooseWalDir, type Volume } from '../volume/choose.ts'
import { GenerationRegister, makeGenerationDir } from './generation.ts'

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
    const makeDir = async (root: string, driver: string = volume.driver.name) => {
      await this.#register.add({ path: root, driver })
      return makeGenerationDir(root, this.#generation)
    }
    const buildsDir = await makeDir(volume.buildsDir)
    const own = { ...volume, buildsDir }
    return {
      volume: own,
      store: new TemplateStore(own),
      getBranchesDir: async (bytes) => makeDir(await chooseBranchesDir(volume, bytes)),
      getWalDir: async () => {
        const dir = await chooseWalDir(this.#paths)
        return dir === undefined ? undefined : makeDir(dir, 'copy')
      },
    }
  }
}
