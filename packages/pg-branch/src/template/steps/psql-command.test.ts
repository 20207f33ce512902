import { expect, test } from 'vitest'
import { parseConnectCommand, parseDatabaseStatement } from './psql-command.ts'

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

test('refuses every other psql command', () => {
  expect(() => parseConnectCommand('\\i other.sql')).toThrow('the psql command \\i is not supported')
})

test('knows which database a statement makes or drops', () => {
  expect(parseDatabaseStatement('DROP DATABASE IF EXISTS Shop;')).toEqual({ dropped: 'shop' })
  expect(parseDatabaseStatement('create database "My ""Shop"""')).toEqual({ created: 'My "Shop"' })
  expect(parseDatabaseStatement('DROP TABLE database')).toEqual({})
})
