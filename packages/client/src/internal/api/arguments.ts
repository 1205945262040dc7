/**
 * Reads what callers pass as plain strings and numbers. What breaks its grammar is refused before anything is sent.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Digest from "../../Digest.ts"
import * as MediaType from "../../MediaType.ts"
import { InvalidRequest, RegistryError } from "../../RegistryError.ts"
import * as RepositoryName from "../../RepositoryName.ts"
import * as Tag from "../../Tag.ts"

const PositiveInt = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))
const readPositive = Schema.decodeResult(PositiveInt)
const readPageSize = Schema.decodeResult(Schema.UndefinedOr(PositiveInt))
/** A chunk is kept in memory, as one piece. */
export const mostChunkBytes = 256 * 1024 * 1024
const readChunkBytes = Schema.decodeResult(
  Schema.Int.check(
    Schema.isBetween({ minimum: 1, maximum: mostChunkBytes }, { expected: "a chunk of 1 byte to 256 MiB" })
  )
)
const readNatural = Schema.decodeResult(Schema.Natural)

/** Refuses the arguments of an operation. */
export const refuse = (operation: string, description: string): Effect.Effect<never, RegistryError> =>
  Effect.fail(new RegistryError({ operation, reason: new InvalidRequest({ description }) }))

/** An argument of an operation, or the refusal of it. */
export const argument = <A>(
  operation: string,
  parsed: Result.Result<A, Schema.SchemaError>
): Effect.Effect<A, RegistryError> =>
  Result.isSuccess(parsed) ? Effect.succeed(parsed.success) : refuse(operation, parsed.failure.message)

export const repositoryName = (operation: string, name: string) => argument(operation, RepositoryName.parse(name))

export const tag = (operation: string, name: string) => argument(operation, Tag.parse(name))

export const digest = (operation: string, name: string) => argument(operation, Digest.parse(name))

/** Whatever holds a colon is a digest. */
export const tagOrDigest = (
  operation: string,
  reference: string
): Effect.Effect<Tag.Tag | Digest.Digest, RegistryError> =>
  reference.includes(":") ? digest(operation, reference) : tag(operation, reference)

export const mediaType = (operation: string, name: string) => argument(operation, MediaType.parse(name))

export const positive = (operation: string, number: number) => argument(operation, readPositive(number))

export const natural = (operation: string, number: number) => argument(operation, readNatural(number))

/** A size in bytes, of which a number is exact. */
export const byteSize = (operation: string, size: ByteSize.Input): Effect.Effect<number, RegistryError> =>
  Option.match(Option.flatMap(ByteSize.fromInput(size), ByteSize.toNumber), {
    onNone: () => refuse(operation, 'expected a size in bytes: a number, or "16 MiB"'),
    onSome: Effect.succeed
  })

export const chunkSize = (operation: string, size: ByteSize.Input): Effect.Effect<number, RegistryError> =>
  Effect.flatMap(byteSize(operation, size), (bytes) => argument(operation, readChunkBytes(bytes)))

/** The size of pages, if one is wanted. */
export const pageSize = (
  operation: string,
  size: number | undefined
): Effect.Effect<number | undefined, RegistryError> => argument(operation, readPageSize(size))
