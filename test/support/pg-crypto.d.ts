/** What node-postgres logs in with; it exports these files, without types. */
declare module 'pg/lib/crypto/sasl.js' {
  interface Session {
    response: string
  }
  const sasl: {
    startSession(mechanisms: string[]): Session
    continueSession(session: Session, password: string, serverData: string): Promise<void>
    finalizeSession(session: Session, serverData: string): void
  }
  export default sasl
}

declare module 'pg/lib/crypto/utils.js' {
  const utils: {
    postgresMd5PasswordHash(user: string, password: string, salt: Uint8Array): Promise<string>
  }
  export default utils
}
