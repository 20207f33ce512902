const knex = require('knex')(require('../knexfile.js'))

/** Lends a copy of a book. @throws Error if none is left. */
function lend(bookId, reader) {
  return knex.transaction(async (trx) => {
    const left = await trx('books').where({ id: bookId }).andWhere('copies', '>', 0).decrement('copies')
    if (left === 0) throw new Error('no copy is left')
    const [loan] = await trx('loans').insert({ book_id: bookId, reader }).returning('id')
    return loan.id
  })
}

module.exports = { knex, lend }
