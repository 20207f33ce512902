import type { ArgsDef, CommandDef } from 'citty'

interface Examples {
  /** Shown below the usage: what one would type, with what it is for. */
  examples?: Array<[command: string, purpose: string]>
  /** What to do with words that it does not take. */
  wordsHint?: string
}

/** A command whatever its arguments, which only its own file knows. */
export type Command = CommandDef & Examples

export function createCommand<const T extends ArgsDef>(definition: CommandDef<T> & Examples): Command {
  return definition as unknown as Command
}
