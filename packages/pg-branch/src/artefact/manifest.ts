import { platform, arch } from 'node:os'
import * as v from 'valibot'
import { PgBranchError } from '../lib/errors.ts'
import type { PostgresBinaries } from '../postgres/contract.ts'
import { formatVersion, templateSchema, type TemplateManifest } from '../template/manifest.ts'
import { digestSchema, sizeSchema } from './blobs.ts'

const artefactVersion = 1

/** Where data directories are interchangeable: the same byte order and alignment; the build's name says more. */
export const ownPlatform: string = `${platform()}-${arch()}`

/** A template as files that lie in chunks. */
export interface ArtefactManifest {
  artefactVersion: number
  platform: string
  template: Omit<TemplateManifest, 'files' | 'bytes'>
  directories: string[]
  files: Array<{ path: string; mode: number; bytes: number }>
  chunks: ArtefactChunk[]
}

export interface ArtefactChunk {
  /** Names the compressed bytes, as they are stored. */
  digest: string
  bytes: number
  /** SHA-256 of the bytes that are in it, in hexadecimal. */
  hash: string
  /** Index of the file, place in it, and length, one piece after the other. */
  pieces: Array<[file: number, offset: number, length: number]>
}

/** Relative, in the usual form, and of names that no system takes for something else. */
const path = v.pipe(
  v.string(),
  v.check(
    (value) => value.split('/').every((part) => /^[\w.~-]+$/.test(part) && part !== '.' && part !== '..'),
    'leaves its folder',
  ),
)

const schema = v.object({
  artefactVersion: v.literal(artefactVersion),
  platform: v.string(),
  template: templateSchema,
  directories: v.array(path),
  files: v.array(v.object({ path, mode: v.pipe(sizeSchema, v.maxValue(0o700)), bytes: sizeSchema })),
  chunks: v.array(
    v.object({
      digest: digestSchema,
      bytes: sizeSchema,
      hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      pieces: v.array(v.tuple([sizeSchema, sizeSchema, sizeSchema])),
    }),
  ),
})

export function createManifest(
  options: Omit<ArtefactManifest, 'artefactVersion' | 'platform' | 'template'> & { template: TemplateManifest },
): ArtefactManifest {
  const { files: _files, bytes: _bytes, ...template } = options.template
  return { ...options, artefactVersion, platform: ownPlatform, template }
}

/**
 * Reads what somebody else wrote.
 *
 * @param source where it is from, for people.
 * @throws PgBranchError `PGB_ARTEFACT` for what is not an artefact, would leave its folder, has gaps or
 * overlaps, is for another Postgres or machine, or is not what was asked for.
 */
export function parseManifest(
  content: Buffer,
  { source, key, binaries }: { source: string; key: string; binaries: PostgresBinaries },
): ArtefactManifest {
  const refuse = (problem: string, hint: string) =>
    new PgBranchError(`the artefact of template ${key.slice(0, 8)} in ${source} ${problem}`, {
      code: 'PGB_ARTEFACT',
      hint,
    })
  const notOurs = 'It was not written by `pg-branch template push`, or was changed since. Nothing of it was used.'
  let value: unknown
  try {
    value = JSON.parse(content.toString('utf8'))
  } catch {
    throw refuse('is not one', notOurs)
  }
  const parsed = v.safeParse(schema, value)
  if (!parsed.success) {
    const [issue] = parsed.issues
    throw refuse(`is not valid: ${v.getDotPath(issue) ?? 'it'}: ${issue.message}`, notOurs)
  }
  const manifest = parsed.output as ArtefactManifest
  const { template } = manifest
  if (template.formatVersion !== formatVersion) {
    throw refuse('was written by another version of pg-branch', 'Use one version everywhere, and push it again.')
  }
  if (manifest.platform !== ownPlatform || template.buildId !== binaries.buildId) {
    throw refuse(
      `is for another Postgres or machine (${manifest.platform}, here ${ownPlatform})`,
      `A data directory serves only the build that wrote it; here it is ${binaries.fullVersion}. Push one from a machine like this.`,
    )
  }
  if (template.key !== key) throw refuse(`is of another template, ${template.key.slice(0, 8)}`, notOurs)
  const problem = findProblem(manifest)
  if (problem !== undefined) throw refuse(`is not whole: ${problem}`, notOurs)
  return manifest
}

/** @returns what is wrong with the files and their pieces; undefined if they are whole. */
function findProblem({ files, directories, chunks }: ArtefactManifest): string | undefined {
  const known = new Set(directories)
  const orphan = [...directories, ...files.map(({ path }) => path)].find((name) => {
    const parent = name.split('/').slice(0, -1).join('/')
    return parent !== '' && !known.has(parent)
  })
  if (orphan !== undefined) return `${orphan} has no directory`
  if (new Set([...known, ...files.map(({ path }) => path)]).size !== directories.length + files.length) {
    return 'a path is there twice'
  }
  const pieces = chunks.flatMap((chunk) => chunk.pieces)
  const ends = new Map<number, number>()
  for (const [file, offset, length] of pieces.toSorted(([a, x], [b, y]) => a - b || x - y)) {
    if (offset !== (ends.get(file) ?? 0)) return `${files[file]?.path ?? 'a file'} has a gap or an overlap`
    ends.set(file, offset + length)
  }
  const broken = files.findIndex(({ bytes }, index) => (ends.get(index) ?? 0) !== bytes)
  if (broken !== -1) return `${files[broken]?.path} has not all of its pieces`
  return [...ends.keys()].some((index) => files[index] === undefined) ? 'a piece belongs to no file' : undefined
}
