exports.up = (k) =>
  k.schema.createTable('users', (t) => {
    t.increments()
    t.text('name')
  })
exports.down = (k) => k.schema.dropTable('users')
