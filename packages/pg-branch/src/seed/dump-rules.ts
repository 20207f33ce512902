import { superuser } from '../lib/superuser.ts'
import { stripLeadingComments } from '../sql/leading-comments.ts'

/**
 * What of a dump need not be run, and which errors are no failure: those that the manual of pg_dump and pg_dumpall
 * calls harmless, and those of a server that lacks what the dumped one had. Each answer is what to tell people.
 */
export interface DumpRules {
  /** @returns what is left out with this statement; undefined: it is run. */
  findLeftOut(text: string): string | undefined
  /** @returns what is forgiven with this error; undefined: it is one. */
  findForgiven(text: string, error: unknown): string | undefined
}

/** @param options.owners whether objects keep the owners and privileges of the dump. */
export function createDumpRules({ owners }: { owners: boolean }): DumpRules {
  return {
    findLeftOut(text) {
      const bare = stripLeadingComments(text)
      if (!owners && namesOwner(bare)) return 'owners and privileges'
      if (namesTablespace(bare)) return 'tablespaces'
      if (dropOwn.test(bare)) return `dropping the database ${superuser}`
      return changesSuperuser(bare) ? `attributes of the role ${superuser}` : undefined
    },
    findForgiven(text, error) {
      const { code, message = '' } = error as { code?: string; message?: string }
      const rule = forgiven.find(
        ({ codes, statement }) => codes.includes(code ?? '') && statement.test(stripLeadingComments(text)),
      )
      return rule?.describe(message)
    },
  }
}

const name = String.raw`(?:"(?:[^"]|"")+"|[^\s";]+)`
// In a string the words mean nothing, e.g. in a DEFAULT.
const ownerPattern = new RegExp(String.raw`^ALTER\s(?:"(?:[^"]|"")*"|[^'"])*\sOWNER\s+TO\s+${name}\s*;?\s*$`, 'i')

/** What `pg_restore --no-owner --no-privileges` leaves out of an archive; membership in roles is none of it. */
function namesOwner(text: string): boolean {
  return (
    ownerPattern.test(text) ||
    /^ALTER\s+DEFAULT\s+PRIVILEGES\b/i.test(text) ||
    /^SET\s+SESSION\s+AUTHORIZATION\b/i.test(text) ||
    /^(GRANT|REVOKE)\b[\s\S]*\sON\s/i.test(text)
  )
}

/** As `pg_restore --no-tablespaces`: they are directories of another machine. */
function namesTablespace(text: string): boolean {
  return (
    /^(CREATE|DROP|ALTER)\s+TABLESPACE\b/i.test(text) ||
    /^SET\s+default_tablespace\s*(=|\bTO\b)(?!\s*(''|""|DEFAULT\b))/i.test(text) ||
    /^ALTER\s+DATABASE\b[\s\S]*\sSET\s+TABLESPACE\b/i.test(text)
  )
}

const superuserPattern = new RegExp(
  String.raw`^(CREATE|ALTER|DROP)\s+(ROLE|USER)\s+(IF\s+EXISTS\s+)?"?${superuser}"?\s*(;|$|WITH\b|(NO)?(SUPERUSER|LOGIN|INHERIT)\b)`,
  'i',
)

/** We are connected to it ourselves, and it is empty. */
const dropOwn = new RegExp(String.raw`^DROP\s+DATABASE\s+(IF\s+EXISTS\s+)?"?${superuser}"?\s*;?\s*$`, 'i')

/** It is there, and is what we ourselves come in as. */
function changesSuperuser(text: string): boolean {
  return superuserPattern.test(text)
}

/** SQLSTATEs of what is not there: of tables, objects, functions, schemas, databases, columns. */
const absent = ['42P01', '42704', '42883', '3F000', '3D000', '42703']

const forgiven: Array<{ codes: string[]; statement: RegExp; describe(message: string): string | undefined }> = [
  {
    codes: ['42704'],
    statement: /^(SET|SELECT\s+pg_catalog\.set_config|ALTER\s+(ROLE|USER|DATABASE))\b/i,
    describe(message) {
      const [, setting] = /^unrecognized configuration parameter "(.+)"/.exec(message) ?? []
      return setting === undefined ? undefined : `the setting ${setting}, which this server does not have`
    },
  },
  // From PostgreSQL 16 on a membership has options.
  {
    codes: ['42601'],
    statement: /^GRANT\b(?![\s\S]*\sON\s)[\s\S]*\sWITH\b[\s\S]*\b(INHERIT|SET)\s+(TRUE|FALSE)\b/i,
    describe: () => 'memberships with options that this server does not have',
  },
  // `--clean` without `--if-exists`: "ignorable error messages will be reported".
  {
    codes: absent,
    statement: /^(DROP\b|ALTER\b[\s\S]*\bDROP\b|REVOKE\b|SELECT\s+pg_catalog\.lo_unlink\b)/i,
    describe: () => 'what it drops first and was not there',
  },
  { codes: ['42710'], statement: /^CREATE\s+(ROLE|USER|GROUP)\b/i, describe: () => 'roles that are there already' },
  { codes: ['42P06'], statement: /^CREATE\s+SCHEMA\b/i, describe: () => 'schemas that are there already' },
  { codes: ['42P04'], statement: /^CREATE\s+DATABASE\b/i, describe: () => 'databases that are there already' },
  {
    codes: ['42710'],
    statement: /^CREATE\s+(EXTENSION|(OR\s+REPLACE\s+)?(PROCEDURAL\s+)?LANGUAGE)\b/i,
    describe: () => 'extensions that are there already',
  },
  // What initdb has made belongs to the superuser.
  {
    codes: ['42501'],
    statement: /^COMMENT\s+ON\s+(EXTENSION|SCHEMA\s+public)\b/i,
    describe: () => 'comments on what belongs to the superuser',
  },
]
