import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import pg from 'pg'
import { openBranch } from 'pg-branch/node'

const branch = await openBranch()
const pool = new pg.Pool({ connectionString: branch.url })

after(async () => {
  await pool.end()
  await branch.close()
})

test('reads', async () => {
  const { rows } = await pool.query('SELECT body FROM notes ORDER BY id')
  assert.deepEqual(rows, [{ body: 'first' }, { body: 'second' }])
})
