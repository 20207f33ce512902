import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { PgBranchError, describeError } from '../lib/errors.ts'
import { parseRecord } from '../lib/record.ts'
import * as v from 'valibot'
import type { Blob, Ref } from './contract.ts'

/** By which whoever fetches a template can know who has put it there. */
export interface Signing {
  /** Adds to what a name says of itself. */
  sign(key: string, manifest: Blob): Record<string, string>
  /** @throws PgBranchError `PGB_ARTEFACT` unless one of the trusted keys has signed it; without any, all is well. */
  verify(key: string, ref: Ref, source: string): void
}

const annotationName = 'pg-branch.signature'
const schema = v.object({ by: v.string(), signature: v.string() })

/** What is signed: that this manifest is the template of this key, and nothing else. */
const createMessage = (key: string, { digest }: Blob) => Buffer.from(`pg-branch template 1\n${key}\n${digest}\n`)

/**
 * @param options.privateKey of Ed25519, PEM or the base64 of PKCS #8; undefined: nothing is signed.
 * @param options.trustedKeys public keys by a name for people; undefined: whatever is there is taken.
 * @throws PgBranchError `PGB_CONFIG_INVALID` for a key that is none; a private one is not repeated.
 */
export function createSigning(options: {
  privateKey: string | undefined
  trustedKeys: Record<string, string> | undefined
}): Signing {
  const own =
    options.privateKey === undefined || options.privateKey === '' ? undefined : readPrivateKey(options.privateKey)
  const trusted = Object.entries(options.trustedKeys ?? {}).map(([name, text]) => ({
    name,
    key: readPublicKey(name, text),
  }))
  return {
    sign(key, manifest) {
      if (own === undefined) return {}
      const by = getFingerprint(createPublicKey(own))
      const signature = sign(undefined, createMessage(key, manifest), own).toString('base64')
      return { [annotationName]: JSON.stringify({ by, signature }) }
    },
    verify(key, { manifest, annotations }, source) {
      if (trusted.length === 0) return
      const names = trusted.map(({ name }) => name).join(', ')
      const refuse = (problem: string) =>
        new PgBranchError(`the artefact of template ${key.slice(0, 8)} in ${source} ${problem}`, {
          code: 'PGB_ARTEFACT',
          hint: `\`cache.trustedKeys\` trusts ${names}. Nothing of it was used. Push it again with PG_BRANCH_SIGNING_KEY set: pg-branch template push --force`,
        })
      const found = parseRecord(annotations[annotationName], schema)
      if (found === undefined) throw refuse('is not signed')
      if ('problem' in found) throw refuse(`has a signature that cannot be read: ${found.problem}`)
      const { by, signature } = found.value
      const signer = trusted.find((candidate) => getFingerprint(candidate.key) === by)
      if (signer === undefined) throw refuse(`is signed by the key ${by}, which is not trusted`)
      const isRight = verify(undefined, createMessage(key, manifest), signer.key, Buffer.from(signature, 'base64'))
      if (!isRight) throw refuse(`is not what ${signer.name} has signed`)
    },
  }
}

/** @returns what tells public keys apart, for people. */
function getFingerprint(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16)
}

function readPrivateKey(text: string): KeyObject {
  try {
    const key = text.includes('-----')
      ? createPrivateKey(text)
      : createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' })
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // It must not be in the message.
  }
  throw new PgBranchError('PG_BRANCH_SIGNING_KEY is not a private key of Ed25519', {
    code: 'PGB_CONFIG_INVALID',
    hint: 'Make one with: openssl genpkey -algorithm ed25519',
  })
}

/** The head of an Ed25519 key in SubjectPublicKeyInfo (RFC 8410), in front of its 32 bytes. */
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex')

function readPublicKey(name: string, text: string): KeyObject {
  let problem = 'it is of another kind'
  try {
    const bytes = Buffer.from(text, 'base64')
    const key = text.includes('-----')
      ? createPublicKey(text)
      : createPublicKey({
          key: bytes.length === 32 ? Buffer.concat([spkiHead, bytes]) : bytes,
          format: 'der',
          type: 'spki',
        })
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (error) {
    problem = describeError(error)
  }
  throw new PgBranchError(`\`cache.trustedKeys\`: ${name} is not a public key of Ed25519: ${problem}`, {
    code: 'PGB_CONFIG_INVALID',
    hint: 'Take what this prints: openssl pkey -in key.pem -pubout',
  })
}
