/** A user of this machine, by their numbers. */
export interface User {
  uid: number
  gid: number
}

/**
 * Runs something with another user's rights, and no more than theirs: root that works in a user's directories
 * (`sudo`) would else follow their links wherever they lead. Nothing else may run in this process meanwhile.
 *
 * @param user undefined: as this process is.
 */
export async function actAs<T>(user: User | undefined, action: () => Promise<T>): Promise<T> {
  const { seteuid, setegid, getegid } = process
  if (user === undefined || seteuid === undefined || setegid === undefined || getegid === undefined) return action()
  const group = getegid()
  setegid(user.gid)
  seteuid(user.uid)
  try {
    return await action()
  } finally {
    seteuid(0)
    setegid(group)
  }
}
