import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { formatRef, parseRef, type Blob, type StoreModule } from 'pg-branch/store'
import { explainError, getStatus, isMissingObject } from './explain-error.ts'
import { parseAddress, type S3Address } from './parse-address.ts'

/** A transfer in which nothing has moved for so long has broken. */
const idleMs = 10_000
const connectMs = 5_000
const attempts = 4
/** Bigger blobs are sent in parts, several at once. S3 takes no part below 5 MiB but the last. */
const partBytes = 8 * 1024 ** 2

/**
 * A bucket. Below the prefix are `blobs/sha256/…` and `refs/….json`, as in a store that is a directory.
 *
 * Credentials are found as by every AWS tool: variables, profiles, SSO, web identity, container, instance.
 *
 * @throws PgBranchError `PGB_ARGUMENT` for what is no address of a bucket.
 */
export const openStore: StoreModule['openStore'] = (text) => {
  const address = parseAddress(text, process.env)
  const { bucket: Bucket, prefix } = address
  const label = `s3://${Bucket}/${prefix.slice(0, -1)}`.replace(/\/$/, '')
  const client = createClient(address)
  const explain = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      return await action()
    } catch (error) {
      throw explainError(error, { label, address })
    }
  }
  const getBlobKey = ({ digest }: Blob) => {
    const hex = digest.slice('sha256:'.length)
    return `${prefix}blobs/sha256/${hex.slice(0, 2)}/${hex}`
  }
  const getRefKey = (name: string) => `${prefix}refs/${name}.json`

  const findBytes = async (Key: string): Promise<number | undefined> => {
    try {
      return (await client.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength
    } catch (error) {
      if (isMissingObject(error)) return undefined
      throw error
    }
  }
  const read = async (Key: string): Promise<Buffer | undefined> => {
    for (let attempt = 1; ; attempt += 1) {
      let isAnswered = false
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
        isAnswered = true
        return Buffer.from((await Body?.transformToByteArray()) ?? [])
      } catch (error) {
        if (isMissingObject(error)) return undefined
        // The SDK tries again until the answer begins, not when it breaks off.
        if (!isAnswered || attempt >= attempts) throw error
      }
    }
  }
  const writeText = (Key: string, Body: string, isConditional: boolean) => {
    const condition = isConditional ? { IfNoneMatch: '*' } : {}
    return client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'application/json', ...condition }))
  }
  /** @returns whether it was absent, and was written; undefined: this store knows no such condition. */
  const writeAbsent = async (key: string, text: string): Promise<boolean | undefined> => {
    try {
      await writeText(key, text, true)
      return true
    } catch (error) {
      const status = getStatus(error)
      // 409: somebody else writes it at this moment.
      if (status === 412 || status === 409) return false
      if (status === 501 || status === 400) return undefined
      throw error
    }
  }

  return {
    label,
    hasBlob: (blob) => explain(async () => (await findBytes(getBlobKey(blob))) === blob.bytes),
    readBlob: (blob) => explain(() => read(getBlobKey(blob))),
    writeBlob: (blob, content) =>
      explain(async () => {
        const params = { Bucket, Key: getBlobKey(blob), Body: content, ContentType: 'application/octet-stream' }
        await new Upload({ client, params, partSize: partBytes }).done()
      }),
    readRef: (name) =>
      explain(async () => {
        const content = await read(getRefKey(name))
        return content === undefined ? undefined : parseRef(content.toString('utf8'), `${label}/refs/${name}.json`)
      }),
    writeRef: (name, ref, { ifAbsent } = { ifAbsent: false }) =>
      explain(async () => {
        const key = getRefKey(name)
        const text = formatRef(ref)
        if (ifAbsent) {
          const isWritten = await writeAbsent(key, text)
          if (isWritten === false) return { isWritten, isExclusive: true }
          // A store that does not heed the condition writes a second time.
          if (isWritten === true) return { isWritten, isExclusive: (await writeAbsent(key, text)) === false }
          if ((await findBytes(key)) !== undefined) return { isWritten: false, isExclusive: false }
        }
        await writeText(key, text, false)
        return { isWritten: true, isExclusive: false }
      }),
  }
}

function createClient({ endpoint, region, isPathStyle }: S3Address): S3Client {
  return new S3Client({
    forcePathStyle: isPathStyle,
    followRegionRedirects: true,
    maxAttempts: attempts,
    // Other stores do not know the newer checksums; our own are checked whatever a store says.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: connectMs, socketTimeout: idleMs },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
  })
}
