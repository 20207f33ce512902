import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'

/**
 * One would be enough, since the password is 128 random bits; but clients refuse what is below the
 * minimum of RFC 7677 (Go's lib/pq, and so dbmate, anything of fewer than four digits). It costs a
 * client 0.8 ms for each connection.
 */
const iterations = 4096

/** @returns what Postgres stores for `password` (RFC 5803). */
export function createScramVerifier(password: string): string {
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest()
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`
}
