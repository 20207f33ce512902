exports.up = (knex) =>
  knex.schema.createTable('loans', (table) => {
    table.increments('id')
    table.integer('book_id').notNullable().references('books.id')
    table.string('reader').notNullable()
  })

exports.down = (knex) => knex.schema.dropTable('loans')
