module.exports = {
  testEnvironment: 'pg-branch',
  testEnvironmentOptions: { pgBranch: { scope: process.env.SCOPE ?? 'test' } },
  testRunner: process.env.RUNNER || 'jest-circus/runner',
  rootDir: __dirname,
  fakeTimers: { enableGlobally: process.env.FAKE === '1' },
}
