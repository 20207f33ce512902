module.exports = { testEnvironment: 'pg-branch' }
