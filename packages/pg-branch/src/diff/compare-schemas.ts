import { diffArrays } from 'diff'
import type { Schema } from './describe-schema.ts'

export interface SchemaChange {
  /** e.g. `table public.users`. */
  object: string
  change: 'added' | 'changed' | 'removed'
  /** What was added begins with `+`, what was removed with `-`. */
  lines: string[]
}

/** @returns the objects that differ, in the order of their names. */
export function compareSchemas(before: Schema, after: Schema): SchemaChange[] {
  const objects = [...new Set([...before.keys(), ...after.keys()])].toSorted()
  return objects.flatMap((object): SchemaChange[] => {
    const [was, is] = [before.get(object), after.get(object)]
    const lines = diffArrays(was ?? [], is ?? []).flatMap(({ added, removed, value }) =>
      added || removed ? value.map((line) => `${added ? '+' : '-'} ${line}`) : [],
    )
    if (was === undefined) return [{ object, change: 'added', lines }]
    if (is === undefined) return [{ object, change: 'removed', lines }]
    return lines.length === 0 ? [] : [{ object, change: 'changed', lines }]
  })
}
