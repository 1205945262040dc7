/**
 * Reads bodies of answers up to a limit, and the size that headers state.
 */
import type * as Arr from "effect/Array"
import * as Bytes from "effect/Bytes"
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import { InvalidResponse, type Reason, TooLarge } from "../../RegistryError.ts"
import { isPulledResponse } from "../../ScopedHttpClient.ts"
import { parseJson } from "../schema/json.ts"
import { problemOf } from "../schema/problem.ts"
import { cut } from "./connection.ts"

/** Far above any page of a list: a thousand manifests take half a megabyte. */
const maxJsonBytes = 16 * 1024 * 1024

/** Room for any error that a registry explains; a page of HTML needs no more either. */
const maxErrorBytes = 64 * 1024

/** A number of bytes as a header states it, if it does. */
export const statedBytes = (header: string | undefined): number | undefined =>
  header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined

interface Read {
  readonly bytes: Uint8Array
  /** Whether the body is longer than the limit. */
  readonly more: boolean
}

/** The chunks of a body. */
type Chunks = Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, HttpClientError.HttpClientError>

export const pullBody = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<Chunks, never, Scope.Scope> =>
  isPulledResponse(response)
    ? Effect.succeed(response.pull)
    : Effect.flatMap(Effect.scope, (scope) => Channel.toPullScoped(Stream.toChannel(response.stream), scope))

/**
 * Reads the body up to `limit` bytes, and whether there was more. The rest is not fetched.
 */
const readUpTo = (
  response: HttpClientResponse.HttpClientResponse,
  limit: number
): Effect.Effect<Read, HttpClientError.HttpClientError> => {
  const readFrom = (pull: Chunks) => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    const ended = (more: boolean): Read => ({ bytes: Bytes.concat(chunks).subarray(0, limit), more })
    const next: Effect.Effect<Read, HttpClientError.HttpClientError> = Effect.matchEffect(pull, {
      onSuccess: (arrived) => {
        for (const chunk of arrived) {
          chunks.push(chunk)
          size += chunk.length
        }
        return size > limit ? Effect.succeed(ended(true)) : next
      },
      onFailure: (failure) =>
        // Some HTTP clients report an empty body like this.
        Cause.isDone(failure) || failure.reason._tag === "EmptyBodyError"
          ? Effect.succeed(ended(false))
          : Effect.fail(failure)
    })
    return next
  }
  // A response that is pulled needs no scope of its own.
  return isPulledResponse(response)
    ? Effect.suspend(() => readFrom(response.pull))
    : Effect.scoped(Effect.flatMap(pullBody(response), readFrom))
}

/** Reads a body as JSON. Fails if it is larger than the limit. */
const readJson = (
  response: HttpClientResponse.HttpClientResponse,
  limitBytes: number
): Effect.Effect<unknown, Reason> =>
  Effect.flatMap(readBytes(response, "the answer", limitBytes), (bytes) =>
    Effect.mapError(
      Effect.fromOption(parseJson(new TextDecoder().decode(bytes))),
      (): Reason => new InvalidResponse({ description: "the response is not JSON" })
    )
  )

const malformed = (error: Schema.SchemaError): Reason =>
  new InvalidResponse({ description: `the response does not match the protocol: ${problemOf(error)}` })

type Decode<A> = (response: HttpClientResponse.HttpClientResponse) => Effect.Effect<A, Reason>

/** Reads a body as JSON and decodes it with a schema. */
export const decodeJson = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  limitBytes: number = maxJsonBytes
): Decode<S["Type"]> => {
  const decode = Schema.decodeUnknownEffect(schema)
  return (response) =>
    Effect.flatMap(readJson(response, limitBytes), (body) => Effect.mapError(decode(body), malformed))
}

/** Reads a body as JSON and decodes it with a schema, then with a function. */
export const decodeJsonWith = <S extends Schema.ConstraintDecoder<unknown>, A>(
  schema: S,
  read: (body: S["Type"]) => Result.Result<A, Schema.SchemaError>,
  limitBytes: number = maxJsonBytes
): Decode<A> => {
  const decode = decodeJson(schema, limitBytes)
  return (response) =>
    Effect.flatMap(decode(response), (body) => Effect.fromResult(Result.mapError(read(body), malformed)))
}

/**
 * Reads the body as bytes. Fails if it is larger than the limit.
 */
export const readBytes = (
  response: HttpClientResponse.HttpClientResponse,
  what: string,
  limitBytes: number
): Effect.Effect<Uint8Array, Reason> =>
  Effect.flatMap(Effect.mapError(readUpTo(response, limitBytes), cut), ({ bytes, more }) =>
    more ? Effect.fail(new TooLarge({ description: what, limitBytes })) : Effect.succeed(bytes)
  )

/**
 * Reads and discards a body, so that its connection can be reused.
 */
export const discard = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<void, Reason> =>
  Effect.asVoid(Effect.mapError(readUpTo(response, maxErrorBytes), cut))

/**
 * Reads the text of an error, up to the limit.
 */
export const readErrorText = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<string> =>
  readUpTo(response, maxErrorBytes).pipe(
    Effect.map(({ bytes, more }) => (more ? "" : new TextDecoder().decode(bytes))),
    // The status alone explains the error.
    Effect.orElseSucceed(() => "")
  )
