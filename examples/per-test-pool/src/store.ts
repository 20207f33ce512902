export interface Todo {
  id: number
  title: string
  done: boolean
}

/** What the service does with its database, whichever library it is done with. */
export interface Store {
  /** Of one list, the oldest first. */
  list(listName: string): Promise<Todo[]>
  /** Fails where there is no such list, or the title is empty. */
  add(listName: string, title: string): Promise<Todo | undefined>
  /** @returns undefined where there is no such todo. */
  complete(id: number): Promise<Todo | undefined>
  remove(id: number): Promise<boolean>
  /** Moves all that is not done to another list, or nothing. */
  move(from: string, to: string): Promise<number>
}
