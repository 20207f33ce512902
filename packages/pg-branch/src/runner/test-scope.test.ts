import { expect, test } from 'vitest'
import { createTestScope } from './test-scope.ts'

/** A scope, and what it asks of the supervisor: snapshots by number. */
function createRecorded(): { scope: ReturnType<typeof createTestScope>; take(): string[] } {
  let calls: string[] = []
  const short = (name: string | undefined) => name?.replace('pg-branch:suite ', '#') ?? 'start'
  const scope = createTestScope({
    async reset({ to, next, failed }) {
      calls.push(`reset ${short(to)} for ${next ?? ''}${failed === undefined ? '' : `, keeping ${failed}`}`)
      return { rung: 'fork', leftOver: [] }
    },
    async snapshot({ name, next }) {
      calls.push(`save ${short(name)}${next === undefined ? '' : ` for ${next}`}`)
    },
    async dropSnapshot({ name }) {
      calls.push(`drop ${short(name)}`)
    },
    async fork({ from }) {
      calls.push(`fork ${short(from)}`)
      return { leaseId: '', branchId: '', variables: {}, notices: [], warm: true }
    },
  })
  const take = () => {
    const taken = calls
    calls = []
    return taken
  }
  return { scope, take }
}

test('a suite is saved by its first test, which goes on with it; the others begin there', async () => {
  const { scope, take } = createRecorded()
  await scope.enterSuite()
  await scope.startTest('one')
  await scope.startTest('two', 'one')
  await scope.leaveSuite()
  expect(take()).toEqual(['save #1 for one', 'reset #1 for two, keeping one', 'drop #1'])
})

test('an inner suite begins with what the outer one saved, and leaves it as it was', async () => {
  const { scope, take } = createRecorded()
  await scope.enterSuite()
  await scope.enterSuite()
  await scope.startTest('inner')
  await scope.leaveSuite()
  expect(take()).toEqual(['save #1', 'save #2 for inner', 'drop #2'])
  await scope.startTest('outer')
  await scope.enterSuite()
  await scope.startTest('second inner')
  expect(take()).toEqual(['reset #1 for outer', 'reset #1 for beforeAll', 'save #3 for second inner'])
})

test('a fork for one of several tests begins where the others of its suite do', async () => {
  const { scope, take } = createRecorded()
  await scope.enterSuite()
  await scope.fork('concurrent')
  await scope.startTest('one')
  await scope.fork('concurrent')
  expect(take()).toEqual(['save #1', 'fork #1', 'reset #1 for one', 'fork #1'])
})

test('the next file in the same worker begins at the start', async () => {
  const { scope, take } = createRecorded()
  await scope.enterSuite()
  await scope.startTest('one')
  await scope.leaveSuite()
  take()
  await scope.enterSuite()
  await scope.startTest('two')
  expect(take()).toEqual(['reset start for beforeAll', 'save #2 for two'])
})
