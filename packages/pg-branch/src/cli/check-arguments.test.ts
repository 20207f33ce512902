import { expect, test } from 'vitest'
import { checkArguments } from './check-arguments.ts'

const args = {
  name: { type: 'positional', required: true },
  ttl: { type: 'string', alias: 't' },
  json: { type: 'boolean', default: false },
} as const

test.each([
  [['dev']],
  [['dev', '--ttl', '1h', '--json']],
  [['--ttl=1h', 'dev']],
  [['dev', '-t', '1h', '--no-json']],
  [['dev', '--ttl', '-5']],
])('%j is taken', (words) => {
  expect(() => checkArguments(words, args)).not.toThrow()
})

test.each([
  [['dev', '--tll', '1h'], 'Did you mean --ttl?'],
  [['dev', '--colour'], 'there is no option --colour'],
  [['dev', 'test'], 'nothing takes the word "test"'],
  [['dev', '--ttl'], 'the option --ttl needs a value'],
])('%j is refused: %s', (words, message) => {
  expect(() => checkArguments(words, args)).toThrow(message)
})
