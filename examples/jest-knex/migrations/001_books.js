exports.up = (knex) =>
  knex.schema.createTable('books', (table) => {
    table.increments('id')
    table.string('title').notNullable()
    table.integer('copies').notNullable().defaultTo(1)
  })

exports.down = (knex) => knex.schema.dropTable('books')
