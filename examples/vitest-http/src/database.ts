import pg from 'pg'

/** One pool for the whole service, made when this module is first imported, as most services do. */
export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 5 })
