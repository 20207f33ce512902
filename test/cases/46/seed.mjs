import { pool } from './db.mjs'
await pool.query('TRUNCATE users')
await pool.query("INSERT INTO users VALUES ('seeded')")
await pool.end()
// 2
