import { expect, test } from 'vitest'
import { getShownLine } from './shown-line.ts'

test.each([
  ['plain', 'plain'],
  ['[⣷] applying…\u001B[2K\u001B[1G[⣯] applying…\u001B[2K\u001B[1G[✓] applied\u001B[2K\u001B[1G', '[✓] applied'],
  ['10 %\r50 %\r\u001B[32m100 %\u001B[39m\r', '100 %'],
  ['  \u001B[1mindented\u001B[22m  ', '  indented'],
  ['', ''],
])('%j is shown as %j', (line, shown) => {
  expect(getShownLine(line)).toBe(shown)
})
