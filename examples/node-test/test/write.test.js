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

test('writes', async () => {
  await pool.query('DELETE FROM notes')
  const { rows } = await pool.query("INSERT INTO notes (body) VALUES ('third') RETURNING id")
  assert.deepEqual(rows, [{ id: 3 }])
})
