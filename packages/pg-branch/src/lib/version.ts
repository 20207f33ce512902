import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

/** This package's version. One supervisor serves exactly one of them. */
export const packageVersion: string = manifest.version
