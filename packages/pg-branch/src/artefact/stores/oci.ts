import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import { PgBranchError } from '../../lib/errors.ts'
import { digestSchema, emptyBlob, emptyContent, sizeSchema } from '../blobs.ts'
import type { ArtefactStore, Blob, Ref } from '../contract.ts'
import { createRegistryClient, type RegistryClient } from '../registry-client.ts'
import type { Credentials } from '../credentials.ts'

const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const artefactType = 'application/vnd.pg-branch.template.v1+json'
const chunkType = 'application/vnd.pg-branch.chunk.v1+gzip'
const emptyType = 'application/vnd.oci.empty.v1+json'

interface Described {
  mediaType: string
  digest: string
  size: number
}

/** As far as it is needed; source: OCI image specification, "Image Manifest". */
interface OciManifest {
  schemaVersion: 2
  mediaType: string
  artifactType: string
  config: Described
  layers: Described[]
  annotations: Record<string, string>
}

/**
 * A repository of an OCI registry, such as ghcr.io/you/app-templates: names are tags, chunks are layers.
 * Source: OCI distribution specification 1.1, "Pull" and "Push".
 */
export function createOciStore(options: {
  /** `https://ghcr.io`, or http for a registry on this machine. */
  origin: string
  repository: string
  findCredentials(): Promise<Credentials | undefined>
}): ArtefactStore {
  const client = createRegistryClient(options)
  const label = `${new URL(options.origin).host}/${options.repository}`
  // A tag is written whether it is there or not.
  const isExclusive = false
  return {
    label,
    async hasBlob({ digest }) {
      const response = await client.request(`blobs/${digest}`, { method: 'HEAD', accept: [404] })
      return response.ok
    },
    async readBlob({ digest }) {
      const response = await client.request(`blobs/${digest}`, { accept: [404] })
      return response.ok ? response.body : undefined
    },
    writeBlob: (blob, content) => upload(client, blob, content),
    async readRef(name) {
      const response = await client.request(`manifests/${name}`, { headers: { accept: manifestType }, accept: [404] })
      return response.ok ? parseManifest(client.parse(response), `${label}:${name}`) : undefined
    },
    async writeRef(name, { manifest, blobs, annotations }, { ifAbsent } = { ifAbsent: false }) {
      if (ifAbsent) {
        const response = await client.request(`manifests/${name}`, {
          method: 'HEAD',
          headers: { accept: manifestType },
          accept: [404],
        })
        if (response.ok) return { isWritten: false, isExclusive }
      }
      if (manifest.digest === emptyBlob.digest) await upload(client, emptyBlob, emptyContent)
      const isMark = manifest.digest === emptyBlob.digest
      const body: OciManifest = {
        schemaVersion: 2,
        mediaType: manifestType,
        artifactType: artefactType,
        config: describe(manifest, isMark ? emptyType : artefactType),
        layers: blobs.map((blob) => describe(blob, chunkType)),
        annotations,
      }
      const headers = { 'content-type': manifestType }
      await putTag(client, `manifests/${name}`, { method: 'PUT', headers, body: JSON.stringify(body) })
      return { isWritten: true, isExclusive }
    },
  }
}

function describe({ digest, bytes }: Blob, mediaType: string): Described {
  return { mediaType, digest, size: bytes }
}

const describedSchema = v.object({
  mediaType: v.string(),
  digest: digestSchema,
  size: sizeSchema,
})
const manifestSchema = v.object({
  config: describedSchema,
  layers: v.array(describedSchema),
  annotations: v.optional(v.record(v.string(), v.string()), {}),
})

function parseManifest(value: unknown, source: string): Ref {
  const parsed = v.safeParse(manifestSchema, value)
  const isOurs = parsed.success && [artefactType, emptyType].includes(parsed.output.config.mediaType)
  if (!isOurs) {
    throw new PgBranchError(`${source} is not a template of pg-branch`, {
      code: 'PGB_ARTEFACT',
      hint: 'Give templates a repository of their own.',
    })
  }
  const { config, layers, annotations } = parsed.output
  const toBlob = ({ digest, size }: Described): Blob => ({ digest, bytes: size })
  return { manifest: toBlob(config), blobs: layers.map(toBlob), annotations }
}

async function upload(client: RegistryClient, { digest }: Blob, content: Buffer): Promise<void> {
  const started = await client.request('blobs/uploads/', { method: 'POST' })
  const location = started.headers.get('location')
  if (location === null) throw client.createError('did not say where to upload to')
  const url = new URL(location, started.url)
  url.searchParams.set('digest', digest)
  const headers = { 'content-type': 'application/octet-stream' }
  await client.request(url, { method: 'PUT', headers, body: new Uint8Array(content) })
}

const tagAttempts = 5
const tagDelayMs = 200

/** Tries again: docker-registry tells some of those who write one tag at the same moment that the content is not theirs. */
async function putTag(
  client: RegistryClient,
  path: string,
  request: { method: string; headers: Record<string, string>; body: string },
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt === tagAttempts
    const response = await client.request(path, isLast ? request : { ...request, accept: [400] })
    if (response.ok) return
    await sleep(tagDelayMs * attempt * Math.random())
  }
}
