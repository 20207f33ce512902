import { expect, test } from 'vitest'
import { createVariableTemplates, fillTemplate } from './variable-templates.ts'

const address = {
  host: 'db.example',
  port: 5433,
  user: 'me@work',
  password: 'p/w',
  database: 'a b',
  parameters: 'sslmode=require',
}
const url = 'postgresql://me%40work:p%2Fw@db.example:5433/a%20b?sslmode=require'

const fill = (env: Parameters<typeof createVariableTemplates>[0]) =>
  Object.fromEntries(
    Object.entries(createVariableTemplates(env, ['main', 'other'])).map(([name, text]) => [
      name,
      fillTemplate(text, address),
    ]),
  )

test('every part of a branch finds its place, encoded in a URL and as it is elsewhere', () => {
  expect(fill(['A', 'B'])).toEqual({ A: url, B: url })
  expect(
    fill(({ url, host, port, user, password, database, urls }) => ({
      A: `${url}&schema=app`,
      B: `${user}:${password}@${host}:${port}/${database}`,
      D: urls.main === url ? (urls.other ?? '') : 'another first',
      C: `jdbc:postgresql://${host}:${port}/${database}`,
    })),
  ).toEqual({
    A: `${url}&schema=app`,
    B: 'me@work:p/w@db.example:5433/a b',
    C: 'jdbc:postgresql://db.example:5433/a b',
    D: url.replace('a%20b', 'other'),
  })
})

test('a mapping that makes something else of them is refused', () => {
  expect(() => createVariableTemplates(({ port }) => ({ NEXT_PORT: String(port + 1) }), ['main'])).toThrow(/NEXT_PORT/)
})
