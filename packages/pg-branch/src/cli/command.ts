import type { CommandDef } from 'citty'

/** A command whatever its arguments, which only its own file knows. */
export type Command = CommandDef
