const { PrismaPg } = require('@prisma/adapter-pg')
const { PrismaClient } = require('./generated')

// One client and one pool for all tests of a file: with `scope: 'test'` they move on to a fresh branch for each.
exports.prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL }) })
