module.exports = {
  testEnvironment: 'pg-branch',
  testEnvironmentOptions: { pgBranch: { scope: 'test' } },
}
