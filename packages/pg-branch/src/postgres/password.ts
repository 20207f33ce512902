import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'

/**
 * @returns what Postgres stores for `password` (RFC 5803). One iteration is enough: the password is
 * 128 random bits, which no number of guesses finds, and every further one is paid on each connect.
 */
export function createScramVerifier(password: string): string {
  const iterations = 1
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest()
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`
}
