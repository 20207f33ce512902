import { expect, test } from 'vitest'
import { SqlSplitter, type SqlItem } from './split-sql.ts'

function split(text: string): SqlItem[] {
  const splitter = new SqlSplitter()
  return [...splitter.push(text), ...splitter.end().items]
}
const texts = (text: string) => split(text).map((item) => item.text)

test.each<[string, string, string[]]>([
  ['several on a line', 'SELECT 1; SELECT 2;', ['SELECT 1;', 'SELECT 2;']],
  ['without a last semicolon', 'SELECT 1;\nSELECT 2', ['SELECT 1;', 'SELECT 2']],
  ['strings', `SELECT ';', 'it''s;'; SELECT E'\\';';`, [`SELECT ';', 'it''s;';`, `SELECT E'\\';';`]],
  ['a backslash in a plain string', `SELECT '\\'; SELECT 2;`, [`SELECT '\\';`, 'SELECT 2;']],
  [
    'an identifier that ends in e before a string',
    `SELECT date'2020-01-01'; SELECT 2;`,
    [`SELECT date'2020-01-01';`, 'SELECT 2;'],
  ],
  ['strings over lines', "SELECT 'a;\nb';\nSELECT 2;", ["SELECT 'a;\nb';", 'SELECT 2;']],
  ['quoted names', 'SELECT 1 AS "a;""b";', ['SELECT 1 AS "a;""b";']],
  ['dollar quoting', 'DO $$ BEGIN; END $$; SELECT $x$;$$;$x$;', ['DO $$ BEGIN; END $$;', 'SELECT $x$;$$;$x$;']],
  ['parameters and names with a dollar', 'SELECT a$b$c; SELECT 2;', ['SELECT a$b$c;', 'SELECT 2;']],
  ['comments before', '-- a;\n-- b\nSELECT 1;', ['SELECT 1;']],
  ['comments inside', 'SELECT 1 -- a;\n+ 1;', ['SELECT 1 -- a;\n+ 1;']],
  ['nested comments', '/* a; /* b; */ c; */ SELECT 1;', ['/* a; /* b; */ c; */ SELECT 1;']],
  ['only comments', '-- nothing\n/* at; all */\n;\n', []],
  [
    'parentheses',
    'CREATE RULE r AS ON DELETE TO t DO INSTEAD (SELECT 1; SELECT 2);',
    ['CREATE RULE r AS ON DELETE TO t DO INSTEAD (SELECT 1; SELECT 2);'],
  ],
  [
    'BEGIN ATOMIC',
    'CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3;',
    [
      'CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;',
      'SELECT 3;',
    ],
  ],
  ['a transaction', 'BEGIN; SELECT 1; END;', ['BEGIN;', 'SELECT 1;', 'END;']],
])('%s', (_, text, expected) => {
  expect(texts(text)).toEqual(expected)
})

test('rows of COPY are passed on as they are', () => {
  const items = split("COPY t FROM stdin;\n1\t;'\n\\N\n\\.\nSELECT 1;\n")
  expect(items.map(({ kind, text }) => [kind, text])).toEqual([
    ['copy', 'COPY t FROM stdin;'],
    ['copyData', "1\t;'\n\\N\n"],
    ['copyEnd', ''],
    ['statement', 'SELECT 1;'],
  ])
})

test('psql commands end with their line', () => {
  expect(
    split("\\restrict x\nSELECT '\\d';\n  \\c app;\n").map(({ kind, text, line, column }) => [
      kind,
      text,
      line,
      column,
    ]),
  ).toEqual([
    ['command', '\\restrict x', 1, 1],
    ['statement', "SELECT '\\d';", 2, 1],
    ['command', '\\c app;', 3, 3],
  ])
})

test('a statement knows where it begins', () => {
  expect(split('\n  -- x\n   SELECT\n 1; SELECT 2;').map(({ line, column }) => [line, column])).toEqual([
    [3, 4],
    [4, 5],
  ])
})

test.each([
  ["SELECT 'a", 'string'],
  ['SELECT $$a', 'dollar'],
  ['/* a', 'blockComment'],
  ['SELECT "a', 'identifier'],
  ['COPY t FROM stdin;\n1\n', 'copy'],
])('what is not closed is named: %s', (text, state) => {
  const splitter = new SqlSplitter()
  splitter.push(text)
  expect(splitter.end().unterminated).toBe(state)
})

test('it does not matter in how many pieces of whole lines the text comes', () => {
  const text = "SELECT 'a\nb;c';\n-- x\nDO $x$\n;\n$x$;\nCOPY t FROM stdin;\n1\n2\n\\.\nSELECT 2;\n"
  const splitter = new SqlSplitter()
  const pieces = text.split(/(?<=\n)/).flatMap((line) => splitter.push(line))
  expect([...pieces, ...splitter.end().items]).toEqual(split(text))
})
