// `pnpm bench [options]` measures branches; `pnpm bench ingest [options]` how templates are built.
if (process.argv[2] === 'ingest') await import('./main-ingest.ts')
else await import('./main-branches.ts')
