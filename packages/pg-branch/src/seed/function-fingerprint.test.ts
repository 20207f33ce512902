import { describe, expect, test } from 'vitest'
import { getSurroundingCode } from './function-fingerprint.ts'

describe('getSurroundingCode', () => {
  const head = 'const rows = 3\n'

  test.each([
    ['on one line', 'export default { seed: [A] }\n'],
    ['on several lines', 'export default {\n  seed: [\n    A,\n  ],\n}\n'],
    ['as jiti writes it', '"use strict";exports.default = void 0;var _default = exports.default =\n{\n  seed: [A]\n};'],
  ])('leaves the default export out: %s', (_, statement) => {
    const before = getSurroundingCode(head + statement, [])
    expect(getSurroundingCode(head + statement.replace('A', 'A, B'), [])).toBe(before)
    expect(getSurroundingCode(head.replace('3', '4') + statement, [])).not.toBe(before)
  })

  test('keeps what follows the default export', () => {
    const code = 'export default {\n  seed: fill,\n}\nconst later = 1\n'
    expect(getSurroundingCode(code.replace('1', '2'), [])).not.toBe(getSurroundingCode(code, []))
  })

  test('leaves out the functions themselves, which are hashed one by one', () => {
    function fill(): number {
      return 1
    }
    expect(getSurroundingCode(`const a = 1\n${fill.toString()}\n`, [fill])).toBe('const a = 1\n\n')
  })
})
