exports.seed = (knex) =>
  knex('books').insert([
    { title: 'A Relational Model of Data for Large Shared Data Banks', copies: 1 },
    { title: 'The Design of POSTGRES', copies: 2 },
  ])
