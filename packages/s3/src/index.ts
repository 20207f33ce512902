/**
 * A bucket as the place where machines share templates: `store: 's3://bucket/prefix'`.
 *
 * @module @pg-branch/s3
 */
export { openStore } from './open-store.ts'
