/**
 * Parses the plain strings and numbers that callers pass. Invalid ones are refused before anything is sent.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Digest from "../../Digest.ts"
import * as MediaType from "../../MediaType.ts"
import * as Platform from "../../Platform.ts"
import * as Reference from "../../Reference.ts"
import { InvalidRequest, RegistryError } from "../../RegistryError.ts"
import * as RepositoryName from "../../RepositoryName.ts"
import { parser } from "../schema/parser.ts"
import { refusedValue } from "../schema/refused.ts"
import { StatedType } from "../schema/statedType.ts"
import { repositoryAt as toRepositoryAt } from "../http/hub.ts"
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

/** Refuses an argument of an operation. */
export const refuse = (
  operation: string,
  description: string,
  argument: string,
  value: unknown
): Effect.Effect<never, RegistryError> =>
  Effect.fail(
    new RegistryError({
      operation,
      reason: new InvalidRequest({ description, argument, value: refusedValue(value) })
    })
  )

/** Parses an argument. Errors name it as callers do. */
const reader =
  <Input, A>(read: (input: Input) => Result.Result<A, Schema.SchemaError>, usualName: string) =>
  (operation: string, input: Input, name = usualName): Effect.Effect<A, RegistryError> => {
    const parsed = read(input)
    return Result.isSuccess(parsed)
      ? Effect.succeed(parsed.success)
      : refuse(operation, parsed.failure.message, name, input)
  }

export const repositoryName = reader(RepositoryName.parse, "repository")

/** Parses the name of a repository, and returns its full name in the registry. */
export const repositoryAt =
  (endpoint: string) =>
  (operation: string, repository: string, name?: string): Effect.Effect<RepositoryName.RepositoryName, RegistryError> =>
    Effect.map(repositoryName(operation, repository, name), (known) => toRepositoryAt(endpoint, known))

export const tag = reader(Tag.parse, "tag")

export const digest = reader(Digest.parse, "digest")

/** A value with a colon is a digest. */
export const tagOrDigest = (
  operation: string,
  reference: string
): Effect.Effect<Tag.Tag | Digest.Digest, RegistryError> =>
  reference.includes(":") ? digest(operation, reference, "tagOrDigest") : tag(operation, reference, "tagOrDigest")

export const reference = reader(Reference.parse, "reference")

export const mediaType = reader(MediaType.parse, "mediaType")

/** The type of artifacts that others made. */
export const artifactType = reader(parser(StatedType), "artifactType")

export const platform = reader(Platform.fromInput, "platform")

export const positive = reader(readPositive, "number")

export const natural = reader(readNatural, "number")

/** A size in bytes. A number must be exact. */
export const byteSize = (
  operation: string,
  size: ByteSize.Input,
  name = "size"
): Effect.Effect<number, RegistryError> =>
  Option.match(Option.flatMap(ByteSize.fromInput(size), ByteSize.toNumber), {
    onNone: () => refuse(operation, 'expected a size in bytes: a number, or "16 MiB"', name, size),
    onSome: Effect.succeed
  })

const chunkBytes = reader(readChunkBytes, "chunkSize")

export const chunkSize = (operation: string, size: ByteSize.Input): Effect.Effect<number, RegistryError> =>
  Effect.flatMap(byteSize(operation, size, "chunkSize"), (bytes) => chunkBytes(operation, bytes))

/** The size of pages, if one is given. */
export const pageSize = reader(readPageSize, "pageSize")
