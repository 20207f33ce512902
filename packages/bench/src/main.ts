// `pnpm bench [options]` measures branches; `pnpm bench ingest` how templates are built; `pnpm bench resets` the
// gateway; `pnpm bench commands` the command line, and templates that are shared.
if (process.argv[2] === 'ingest') await import('./main-ingest.ts')
else if (process.argv[2] === 'resets') await import('./main-resets.ts')
else if (process.argv[2] === 'commands') await import('./main-commands.ts')
else await import('./main-branches.ts')
