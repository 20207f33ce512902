import { expect, test } from 'vitest'
import { getConnectDatabase, parseDatabaseStatement, parsePsqlCommand } from './psql-command.ts'

const parseConnectCommand = (text: string) => getConnectDatabase(parsePsqlCommand(text))

test.each([
  ['\\c app', 'app'],
  ['\\connect app;', 'app'],
  ['\\connect "My App"', 'My App'],
  [`\\connect -reuse-previous=on "dbname='app'"`, 'app'],
  ['\\c app -', 'app'],
])('%s', (text, database) => {
  expect(parseConnectCommand(text)).toBe(database)
})

test.each([
  '\\c',
  '\\c - someone',
  '\\connect app someone',
  '\\connect postgresql://host/app',
  '\\connect "host=x dbname=y"',
])('refuses %s, which would leave the database being built', (text) => {
  expect(() => parseConnectCommand(text)).toThrow(/would leave the database being built/)
})

test.each([
  [String.raw`\set v 'it''s' "a b" c`, String.raw`\set`, ['v', "it's", '"a b"', 'c']],
  [String.raw`\set v 'a\nb'`, String.raw`\set`, ['v', 'a\nb']],
  [String.raw`\encoding LATIN1;`, String.raw`\encoding`, ['LATIN1']],
  [String.raw`\q`, String.raw`\q`, []],
])('the words of %s', (text, name, words) => {
  expect(parsePsqlCommand(text)).toEqual({ name, words })
})

test('knows which database a statement makes or drops', () => {
  expect(parseDatabaseStatement('DROP DATABASE IF EXISTS Shop;')).toEqual({ dropped: 'shop' })
  expect(parseDatabaseStatement('create database "My ""Shop"""')).toEqual({ created: 'My "Shop"' })
  expect(parseDatabaseStatement('DROP TABLE database')).toEqual({})
})
