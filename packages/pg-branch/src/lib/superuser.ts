/** The role that branches are used with; every cluster is made with it. */
export const superuser = 'postgres'
