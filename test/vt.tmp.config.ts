const conditions = ['pg-branch-source', 'node', 'import', 'default']
export default {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { root: '..', include: ['packages/*/src/**/*.test.ts'] },
}
