/** What sequelize-cli is given as its configuration. */
export default { test: { use_env_variable: 'DATABASE_URL', dialect: 'postgres' } }
