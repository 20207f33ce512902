import type { ArgsDef } from 'citty'
import leven from 'leven'
import { PgBranchError } from '../lib/errors.ts'

/**
 * What citty leaves alone: options that there are not, and words that nothing takes.
 *
 * @param words those after the command's name, up to two dashes.
 * @throws PgBranchError `PGB_ARGUMENT`.
 */
export function checkArguments(words: string[], args: ArgsDef, wordsHint = 'See --help.'): void {
  const positionals = Object.values(args).filter(({ type }) => type === 'positional').length
  const options = new Map<string, boolean>()
  for (const [name, definition] of Object.entries(args)) {
    if (definition.type === 'positional') continue
    const takesValue = definition.type === 'string' || definition.type === 'enum'
    const aliases = 'alias' in definition ? [definition.alias ?? []].flat() : []
    for (const option of [name, ...aliases]) options.set(option, takesValue)
    if (!takesValue) options.set(`no-${name}`, false)
  }
  let found = 0
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? ''
    if (!word.startsWith('-') || word === '-') {
      found += 1
      if (found > positionals) throw createError(`nothing takes the word ${JSON.stringify(word)}`, wordsHint)
      continue
    }
    const [option = '', value] = word.replace(/^--?/, '').split('=', 2)
    const takesValue = options.get(option)
    if (takesValue === undefined) throw createError(`there is no option ${word}`, suggest(option, [...options.keys()]))
    if (!takesValue || value !== undefined) continue
    index += 1
    if (words[index] === undefined) throw createError(`the option ${word} needs a value`, 'See --help.')
  }
}

function suggest(option: string, known: string[]): string {
  const near = known.filter((name) => name.length > 1 && !name.startsWith('no-') && leven(name, option) <= 2)
  if (near.length > 0) return `Did you mean ${near.map((name) => `--${name}`).join(' or ')}?`
  return 'See --help for those that there are.'
}

function createError(message: string, hint: string): PgBranchError {
  return new PgBranchError(message, { code: 'PGB_ARGUMENT', hint })
}
