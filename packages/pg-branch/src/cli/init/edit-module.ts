import { generateCode, parseModule, type ProxifiedModule } from 'magicast'
import { getDefaultExportOptions } from 'magicast/helpers'

type Options = Record<string, unknown>

/**
 * Changes the options object that a module exports by default, with all else left as it is written.
 *
 * @returns undefined if there is no such object, or `change` says that it cannot be done.
 */
export function editModule(code: string, change: (options: Options) => boolean): string | undefined {
  let module: ProxifiedModule
  try {
    module = parseModule(code)
    const options = getDefaultExportOptions(module) as Options & { $type?: string }
    if (options.$type !== 'object' || !change(options)) return undefined
  } catch {
    // A function, a spread, a merge: what it comes to is known only when it runs.
    return undefined
  }
  return `${generateCode(module).code.trimEnd()}\n`
}
