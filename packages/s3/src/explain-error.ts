import { S3ServiceException } from '@aws-sdk/client-s3'
import { PgBranchError } from 'pg-branch/store'
import type { S3Address } from './parse-address.ts'

/** Names of the store's errors that say what to do. Source: docs.aws.amazon.com, "Error responses". */
const hints: Record<string, string> = {
  AccessDenied:
    'These credentials need s3:GetObject, to push s3:PutObject, and s3:ListBucket, without which S3 refuses to say what is not there.',
  Forbidden: 'These credentials need s3:GetObject, to push s3:PutObject, and s3:ListBucket.',
  InvalidAccessKeyId: 'The store does not know this access key.',
  SignatureDoesNotMatch: 'The secret access key is another than the store has for this access key.',
  ExpiredToken: 'The credentials have expired: log in again.',
  NoSuchBucket: 'Make the bucket, or correct its name.',
  CredentialsProviderError:
    'Give credentials as to the AWS tools: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile (AWS_PROFILE), SSO, or a role.',
}

function formatAddress({ bucket, prefix }: S3Address): string {
  return prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`
}

/** @returns the error that names the bucket, with the store's own words. */
export function explainError(error: unknown, { label, address }: { label: string; address: S3Address }): PgBranchError {
  if (error instanceof PgBranchError) return error
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  if (name === 'Error' && message === 'Region is missing') {
    return new PgBranchError(`no region is known for the template store ${label}`, {
      code: 'PGB_STORE',
      hint: `Set AWS_REGION, or write it into the address: ${formatAddress(address)}?region=eu-central-1`,
      cause: error,
    })
  }
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined
  const problem = status === undefined ? 'cannot be reached' : `answered ${status}`
  return new PgBranchError(`the template store ${label} ${problem}: ${name}${message === '' ? '' : `: ${message}`}`, {
    code: 'PGB_STORE',
    hint: hints[name],
    cause: error,
  })
}

/** @returns whether the object, and not the bucket, is what is not there. */
export function isMissingObject(error: unknown): boolean {
  return error instanceof S3ServiceException && (error.name === 'NoSuchKey' || error.name === 'NotFound')
}

/** @returns the status of the store's answer, if it answered. */
export function getStatus(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined
}
