import { expect, test } from 'vitest'
import { SqlSplitter, type LexerSession, type SqlItem } from './split-sql.ts'

const usual: LexerSession = { standardConformingStrings: true, clientEncoding: 'UTF8', variables: new Map() }

function split(text: string, session: Partial<LexerSession> = {}): SqlItem[] {
  const splitter = new SqlSplitter({ ...usual, ...session })
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
  ["SELECT 'a", 'string', 1, 8],
  ['CREATE FUNCTION f() RETURNS int\n  AS $$ SELECT $1, $b$ ;\n', 'dollar', 2, 6],
  ["SELECT 'a', '\n', $x$", 'dollar', 2, 4],
  ['SELECT 1;\n  /* a', 'blockComment', 2, 3],
  ['SELECT "a', 'identifier', 1, 8],
  ['SELECT 1;\nCOPY t FROM stdin;\n1\n', 'copy', 2, 1],
])('what is not closed is named: %s', (text, state, line, column) => {
  const splitter = new SqlSplitter(usual)
  for (const _ of splitter.push(text)) void _
  expect(splitter.end().unterminated).toEqual({ state, line, column })
})

test('it does not matter in how many pieces of whole lines the text comes', () => {
  const text = "SELECT 'a\nb;c';\n-- x\nDO $x$\n;\n$x$;\nCOPY t FROM stdin;\n1\n2\n\\.\nSELECT 2;\n"
  const splitter = new SqlSplitter(usual)
  const pieces = text.split(/(?<=\n)/).flatMap((line) => Array.from(splitter.push(line)))
  expect([...pieces, ...splitter.end().items]).toEqual(split(text))
})

test.each<[string, Partial<LexerSession>, string, string[]]>([
  [
    'plain strings as escape strings',
    { standardConformingStrings: false },
    String.raw`SELECT 'it\'s; x'; SELECT 2;`,
    [String.raw`SELECT 'it\'s; x';`, 'SELECT 2;'],
  ],
  [
    'but not bits and names by code point',
    { standardConformingStrings: false },
    String.raw`SELECT x'\'; SELECT U&'\'; SELECT 2;`,
    [String.raw`SELECT x'\';`, String.raw`SELECT U&'\';`, 'SELECT 2;'],
  ],
  [
    'a string that goes on, on another line',
    {},
    "SELECT E'a\\';'\n  'b\\';'; SELECT 2;",
    ["SELECT E'a\\';'\n  'b\\';';", 'SELECT 2;'],
  ],
  [
    'two strings on one line',
    {},
    String.raw`SELECT E'a' 'b\'; SELECT 2;`,
    [String.raw`SELECT E'a' 'b\';`, 'SELECT 2;'],
  ],
  [
    'a backslash that is half a character',
    { clientEncoding: 'SJIS' },
    "SELECT E'\u0083\\'; SELECT 2;",
    ["SELECT E'\u0083\\';", 'SELECT 2;'],
  ],
  [
    'variables of psql',
    {
      variables: new Map([
        ['v', "it's"],
        ['n', '1'],
      ]),
    },
    'SELECT :\'v\', :"v", :n, :{?n}, a::text, :w; SELECT 2;',
    [`SELECT 'it''s', "it's", 1, TRUE, a::text, :w;`, 'SELECT 2;'],
  ],
  ['a variable that names itself', { variables: new Map([['v', ':v + 1']]) }, 'SELECT :v;', ['SELECT :v + 1;']],
])('what the session says counts: %s', (_, session, text, expected) => {
  expect(split(text, session).map((item) => item.text)).toEqual(expected)
})

test('what a statement sets holds for the next one in the same text', () => {
  const session = { ...usual }
  const found: string[] = []
  for (const { text } of new SqlSplitter(session).push(String.raw`SET x; SELECT 'a\';b'; SELECT 2;` + '\n')) {
    found.push(text)
    session.standardConformingStrings = false
  }
  expect(found).toEqual(['SET x;', String.raw`SELECT 'a\';b';`, 'SELECT 2;'])
})

test.each(['COPY t FROM /* c */ STDIN;', 'copy t (a) from -- c\n stdin;', "COPY t FROM STDIN WITH (DELIMITER ';');"])(
  '%s',
  (text) => {
    expect(split(`${text}\n1\n\\.\n`).map(({ kind }) => kind)).toEqual(['copy', 'copyData', 'copyEnd'])
  },
)

test.each(["SELECT 'copy t from stdin';", 'COPY t TO STDOUT;', 'COPY (SELECT 1 FROM stdin) TO STDOUT;'])(
  '%s is no COPY that reads',
  (text) => {
    expect(split(text).map(({ kind }) => kind)).toEqual(['statement'])
  },
)
