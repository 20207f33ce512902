import type * as v from 'valibot'

/** A function that promises anything about `T` as far as it is an `A`: the compiler takes two for one only if what they name is one. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
type Probe<A> = <T>() => T extends A ? 1 : 2

type IsSame<A, B> = Probe<A> extends Probe<B> ? true : false

type Agreeing<Schema extends v.GenericSchema, T> =
  IsSame<v.InferOutput<Schema>, T> extends true ? v.GenericSchema<unknown, T> : never

/** Lets the compiler compare: a schema with a member too few, too many, or of another type is refused. */
export function describeExactly<T>(): <Schema extends v.GenericSchema>(
  schema: Schema & Agreeing<Schema, T>,
) => v.GenericSchema<unknown, T> {
  return (schema) => schema
}
