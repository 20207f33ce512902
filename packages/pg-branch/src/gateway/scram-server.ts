import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** What Postgres stores of a password (RFC 5803): enough to check one, not to know it. */
export interface ScramVerifier {
  iterations: number
  salt: string
  storedKey: Buffer
  serverKey: Buffer
}

const pattern = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)$/

/** @returns undefined for anything else that a role's password may be stored as. */
export function parseVerifier(stored: string): ScramVerifier | undefined {
  const [, iterations, salt, storedKey, serverKey] = pattern.exec(stored) ?? []
  if (iterations === undefined || salt === undefined || storedKey === undefined || serverKey === undefined) {
    return undefined
  }
  return {
    iterations: Number(iterations),
    salt,
    storedKey: Buffer.from(storedKey, 'base64'),
    serverKey: Buffer.from(serverKey, 'base64'),
  }
}

export const scramMechanism = 'SCRAM-SHA-256'

/**
 * The server's half of SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding. `answer` takes the
 * client's first message, `verify` its last; undefined means that the client is not let in.
 */
export function createScramServer(verifier: ScramVerifier): {
  answer(clientFirst: string): string | undefined
  verify(clientFinal: string): string | undefined
} {
  let nonce: string | undefined
  let header = ''
  let clientFirstBare = ''
  let serverFirst = ''
  return {
    answer(clientFirst) {
      const [, gs2Header, bare, clientNonce] =
        /^([ny],[^,]*,)(n=[^,]*,r=([\x21-\x2b\x2d-\x7e]+))/.exec(clientFirst) ?? []
      if (gs2Header === undefined || bare === undefined || clientNonce === undefined) return undefined
      header = gs2Header
      clientFirstBare = bare
      nonce = clientNonce + randomBytes(18).toString('base64')
      serverFirst = `r=${nonce},s=${verifier.salt},i=${verifier.iterations}`
      return serverFirst
    },
    verify(clientFinal) {
      const [, withoutProof, binding, finalNonce, proof] = /^(c=([^,]+),r=([^,]+)),p=(.+)$/.exec(clientFinal) ?? []
      if (withoutProof === undefined || binding === undefined || proof === undefined) return undefined
      if (finalNonce !== nonce || Buffer.from(binding, 'base64').toString() !== header) return undefined
      const authMessage = `${clientFirstBare},${serverFirst},${withoutProof}`
      const signature = sign(verifier.storedKey, authMessage)
      const given = Buffer.from(proof, 'base64')
      if (given.length !== signature.length) return undefined
      const clientKey = given.map((byte, index) => byte ^ (signature[index] as number))
      const storedKey = createHash('sha256').update(clientKey).digest()
      if (!timingSafeEqual(storedKey, verifier.storedKey)) return undefined
      return `v=${sign(verifier.serverKey, authMessage).toString('base64')}`
    },
  }
}

function sign(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
