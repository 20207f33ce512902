import pg from 'pg'
const e = process.env
export const pool = new pg.Pool({
  host: e.DB_HOST,
  port: Number(e.DB_PORT),
  user: e.DB_USER,
  password: e.DB_PASSWORD,
  database: e.DB_NAME,
})
