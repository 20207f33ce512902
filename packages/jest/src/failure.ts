/** What we read of jest-circus's report. */
export interface TestLike {
  type: 'test'
  name: string
  errors: unknown[]
}

export interface BlockLike {
  type: 'describeBlock'
  name: string
  children: Array<BlockLike | TestLike>
}

/** @returns the path of the first failed test below `block`, or undefined if none failed. */
export function findFailure(block: BlockLike): string | undefined {
  for (const child of block.children) {
    if (child.type === 'test') {
      if (child.errors.length > 0) return child.name
      continue
    }
    const inner = findFailure(child)
    if (inner !== undefined) return `${child.name} > ${inner}`
  }
  return undefined
}
