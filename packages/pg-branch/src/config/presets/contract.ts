import type { RunnableStep } from '../types.ts'
import type { PresetName } from './registry.ts'

/** A project's migrations, as one tool keeps them. */
export interface Recognised {
  /** What was found, as paths relative to the project. */
  evidence: string
  seed: RunnableStep[]
}

/** The program that a preset runs, which the project itself must have installed. */
export interface PresetTool {
  /** Its npm package. */
  package: string
  /** The oldest version whose command is the one that is run: major and minor. */
  since: readonly [number, number]
}

/** How one migration tool is recognised and run. A new one is one file here and one line in `registry.ts`. */
export interface Preset {
  readonly name: PresetName
  /** For people. */
  readonly title: string
  /** Paths below the project whose appearance may change what `recognise` answers. */
  readonly candidates: readonly string[]
  /** Undefined: its files are plain SQL, which needs no program. */
  readonly tool?: PresetTool
  /** @returns undefined if the project in `dir` does not use it. */
  recognise(dir: string): Recognised | undefined
}
