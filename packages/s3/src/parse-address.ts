import { PgBranchError } from 'pg-branch/store'

/** What stands behind `s3://`. */
export interface S3Address {
  bucket: string
  /** Ends with a slash, or is empty. */
  prefix: string
  /** Of R2, MinIO, Ceph, Swift and their kin; undefined: Amazon's own, or what `AWS_ENDPOINT_URL_S3` says. */
  endpoint: string | undefined
  region: string | undefined
  /** Whether the bucket is named in the path, and not in the host. */
  isPathStyle: boolean
}

/** Source: docs.aws.amazon.com, "General purpose bucket naming rules"; others allow no more. */
const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const parameterNames = ['endpoint', 'region', 'pathStyle']

/**
 * @param address `bucket/prefix`, and perhaps `?endpoint=https://…&region=…&pathStyle=false`.
 * @param env where `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, `AWS_REGION` and `AWS_DEFAULT_REGION` are read.
 * @throws PgBranchError `PGB_ARGUMENT`.
 */
export function parseAddress(address: string, env: Record<string, string | undefined>): S3Address {
  const [path = '', query = ''] = address.split('?', 2)
  const [bucket = '', ...folders] = path.split('/')
  const shown = JSON.stringify(`s3://${path.replace(/^.*@/s, '…@')}`)
  if (!bucketPattern.test(bucket)) {
    throw new PgBranchError(`${shown} names no bucket`, {
      code: 'PGB_ARGUMENT',
      hint: 'Write s3://bucket/prefix; credentials are found as by the AWS tools, and never stand in the address.',
    })
  }
  const parameters = new URLSearchParams(query)
  const unknown = [...parameters.keys()].find((name) => !parameterNames.includes(name))
  if (unknown !== undefined) {
    throw new PgBranchError(`${shown} has ${JSON.stringify(unknown)} in its query`, {
      code: 'PGB_ARGUMENT',
      hint: `It takes ${parameterNames.join(', ')}.`,
    })
  }
  const endpoint = parameters.get('endpoint') ?? env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL
  if (endpoint !== undefined && !(/^https?:/.test(endpoint) && URL.canParse(endpoint))) {
    throw new PgBranchError(`the endpoint of ${shown} is no URL of http or https`, {
      code: 'PGB_ARGUMENT',
      hint: 'For example: s3://bucket/prefix?endpoint=https://s3.example.com',
    })
  }
  const style = parameters.get('pathStyle')
  if (style !== null && style !== 'true' && style !== 'false') {
    throw new PgBranchError(`pathStyle of ${shown} is neither true nor false`, { code: 'PGB_ARGUMENT' })
  }
  // Stores other than Amazon's take any region; most have no host for each bucket.
  const region = parameters.get('region') ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION
  const prefix = folders.filter((folder) => folder !== '').join('/')
  return {
    bucket,
    prefix: prefix === '' ? '' : `${prefix}/`,
    endpoint,
    region: region ?? (endpoint === undefined ? undefined : 'us-east-1'),
    isPathStyle: style === null ? endpoint !== undefined : style === 'true',
  }
}
