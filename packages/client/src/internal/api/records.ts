/**
 * Records of lists. Each is read separately, so an invalid one never fails the list: it is left out, with a warning in
 * the log.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { InvalidResponse } from "../../RegistryError.ts"
import { problemOf } from "../schema/problem.ts"

/** An unreadable record, unchanged. Only the first one is described in the log, because there may be a million. */
interface Odd {
  readonly raw: unknown
}

/**
 * A record of a list, or an unreadable one. Pages have both, because the length of a page and its last record decide
 * where the list continues.
 */
export type Entry<A> = Result.Result<A, Odd>

type Read<A> = (record: unknown) => Result.Result<A, Schema.SchemaError>

const readEach = <A>(records: ReadonlyArray<unknown>, read: Read<A>): ReadonlyArray<Entry<A>> =>
  records.map((raw) => Result.mapError(read(raw), (): Odd => ({ raw })))

/** The problem of a record, and its position in the list. */
const problemAt = <A>(records: ReadonlyArray<unknown>, read: Read<A>, at: number): string =>
  Result.match(read(records[at]), {
    onSuccess: () => "",
    onFailure: ({ issue }) => problemOf(new Schema.SchemaError(new SchemaIssue.Pointer([at], issue)))
  })

/**
 * The annotation of the warning: how many records were left out, for programs that must distinguish a partial list from
 * a complete one.
 */
const leftOut = "leftOut"

/** Warns of unreadable records, once for each page, and without their content, which may be anything. */
const warn = <A>(
  name: string,
  records: ReadonlyArray<unknown>,
  read: Read<A>,
  entries: ReadonlyArray<Entry<A>>
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const first = entries.findIndex(Result.isFailure)
    if (first === -1) return Effect.void
    const count = entries.reduce((sum, entry) => sum + (Result.isFailure(entry) ? 1 : 0), 0)
    const problem = problemAt(records, read, first)
    return Effect.logWarning(
      `${name} left out ${count} of ${entries.length} records, which cannot be read: ${problem}`
    ).pipe(Effect.annotateLogs(leftOut, count))
  })

/** Reads the records of an answer that has other fields besides the list. */
export const readSome = <A>(
  name: string,
  records: ReadonlyArray<unknown>,
  read: Read<A>
): Effect.Effect<ReadonlyArray<A>> => {
  const entries = readEach(records, read)
  return Effect.as(
    warn(name, records, read, entries),
    entries.filter(Result.isSuccess).map(({ success }) => success)
  )
}

/**
 * Reads a page of a list. Fails if it has records and none can be read: such an answer has another format, and a
 * program that reads it as an empty list may delete or copy the wrong things. A record that is `null` does not count
 * either way.
 */
export const readPage = <A>(
  name: string,
  records: ReadonlyArray<unknown>,
  isOfForm: Predicate.Predicate<unknown>,
  read: Read<A>
): Effect.Effect<ReadonlyArray<Entry<A>>, InvalidResponse> => {
  const entries = readEach(records, read)
  const first = entries[0]
  return first !== undefined && Result.isFailure(first) && !records.some((one) => one === null || isOfForm(one))
    ? Effect.fail(
        new InvalidResponse({
          description: `the response does not match the protocol: ${problemAt(records, read, 0)}`
        })
      )
    : Effect.as(warn(name, records, read, entries), entries)
}

/** Whether a record has a text in its name field. */
export const isNamedBy =
  (field: string): Predicate.Predicate<unknown> =>
  (record) =>
    Predicate.isObject(record) && typeof Reflect.get(record, field) === "string"
