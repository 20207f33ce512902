// `pnpm bench [options]` measures branches; `pnpm bench ingest` how templates are built; `pnpm bench resets` the gateway.
if (process.argv[2] === 'ingest') await import('./main-ingest.ts')
else if (process.argv[2] === 'resets') await import('./main-resets.ts')
else await import('./main-branches.ts')
