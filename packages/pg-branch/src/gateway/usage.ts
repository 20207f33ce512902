/** What clients have done with the branch that is behind a gateway now. */
export interface Usage {
  /** Anyone has been connected. */
  hasBeenUsed: boolean
  /** A function was made, which may do what no statement shows. */
  hasDefinedCode: boolean
  /** A client has hung up in the middle of something, which the server may still be at. */
  isAbandoned: boolean
}

export const createUsage = (): Usage => ({ hasBeenUsed: false, hasDefinedCode: false, isAbandoned: false })

/** A statement as its text came over the wire. */
export interface Statement {
  text: string
  application: string
}

const maxStatements = 1_000

/** The last statements of one phase. */
export interface StatementLog {
  readonly statements: readonly Statement[]
  add(statement: Statement): void
  clear(): void
}

export function createStatementLog(): StatementLog {
  const statements: Statement[] = []
  return {
    statements,
    add(statement) {
      if (statements.length === maxStatements) statements.shift()
      statements.push(statement)
    },
    clear() {
      statements.length = 0
    },
  }
}
