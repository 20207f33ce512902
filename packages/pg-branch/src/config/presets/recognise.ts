import { PgBranchError } from '../../lib/errors.ts'
import type { PresetStep, RunnableStep } from '../types.ts'
import type { Recognised } from './contract.ts'
import { plainCandidates, recognisePlainSql } from './plain-sql.ts'
import { allPresets, presets } from './registry.ts'
import { checkTool } from './tool-version.ts'

/** Every path that is looked at below a project's directory. */
export const candidates: string[] = [
  ...new Set([...allPresets.flatMap((preset) => preset.candidates), ...plainCandidates]),
]

/** For people: every tool that is known. */
export const presetTitles: string[] = allPresets.map(({ title }) => title)

/**
 * Recognises how the project in `dir` keeps its migrations.
 *
 * @returns undefined if nothing known is there.
 * @throws PgBranchError `PGB_CONFIG_AMBIGUOUS` rather than guess: two tools, or SQL that belongs to a tool
 * whose files cannot be run as they are; `PGB_PRESET_TOOL` if the tool itself is missing or too old.
 */
export function recogniseProject(dir: string): (Recognised & { title: string }) | undefined {
  const found = allPresets.flatMap((preset) => {
    const recognised = preset.recognise(dir)
    return recognised === undefined ? [] : [{ ...recognised, title: preset.title, preset }]
  })
  if (found.length > 1) {
    throw new PgBranchError(
      `${dir} has migrations of more than one kind: ${found.map(({ title, evidence }) => `${title} (${evidence})`).join(', ')}`,
      { code: 'PGB_CONFIG_AMBIGUOUS', hint: 'Say which to run with `seed` in pg-branch.config.ts.' },
    )
  }
  const [only] = found
  if (only !== undefined) {
    checkTool(dir, only.preset, findPlainSql(dir))
    return only
  }
  const plain = recognisePlainSql(dir)
  return plain === undefined ? undefined : { ...plain, title: 'plain SQL' }
}

/** @returns the steps that would be run if the tool were not there, as they are written in a configuration. */
function findPlainSql(dir: string): string | undefined {
  try {
    const lists = recognisePlainSql(dir)?.seed.map((step) => ('globs' in step ? step.globs : []))
    return lists?.map((globs) => `sql(${globs.map((glob) => `'${glob}'`).join(', ')})`).join(', ')
  } catch {
    return undefined
  }
}

/**
 * @returns the steps that `preset(name)` stands for in the project in `dir`.
 * @throws PgBranchError `PGB_STEP_INPUT` if the tool's files are not there; `PGB_PRESET_TOOL`.
 */
export function expandPreset({ name }: PresetStep, dir: string): RunnableStep[] {
  const preset = presets[name]()
  const recognised = preset.recognise(dir)
  if (recognised === undefined) {
    throw new PgBranchError(`the step preset('${name}') finds nothing of ${preset.title} in ${dir}`, {
      code: 'PGB_STEP_INPUT',
      hint: `It is recognised by: ${preset.candidates.join(', ')}.`,
    })
  }
  checkTool(dir, preset)
  return recognised.seed
}
