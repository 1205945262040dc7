/**
 * Reads bodies of answers, never more of them than a limit allows, and what headers state of their size.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import { InvalidResponse, type Reason, TooLarge, Unavailable } from "../../RegistryError.ts"

/** Far above any page of a list: a thousand manifests come to half a megabyte. */
const maxJsonBytes = 16 * 1024 * 1024

/** Room for any error that a registry explains; a page of HTML needs no more either. */
const maxErrorBytes = 64 * 1024

/** A number of bytes as a header states it, if it does. */
export const statedBytes = (header: string | undefined): number | undefined =>
  header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined

export const concat = (chunks: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

/**
 * The body up to `limit` bytes, and whether there was more. The rest is not fetched.
 */
const readUpTo = (
  response: HttpClientResponse.HttpClientResponse,
  limit: number
): Effect.Effect<{ readonly bytes: Uint8Array; readonly more: boolean }, HttpClientError.HttpClientError> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    return response.stream.pipe(
      Stream.takeUntil((chunk) => {
        chunks.push(chunk)
        size += chunk.length
        return size > limit
      }),
      Stream.runDrain,
      // Some HTTP clients report a body of no bytes so.
      Effect.catchReason("HttpClientError", "EmptyBodyError", () => Effect.void),
      Effect.map(() => ({ bytes: concat(chunks, size).subarray(0, limit), more: size > limit }))
    )
  })

export const cut = (error: HttpClientError.HttpClientError): Reason =>
  new Unavailable({ description: `the answer broke off (${error.reason._tag})` })

const parseJson = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Unknown))

/**
 * The body as JSON.
 */
export const readJson = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<unknown, Reason> =>
  readBytes(response, "the answer", maxJsonBytes).pipe(
    Effect.flatMap((bytes) =>
      Effect.mapError(
        parseJson(new TextDecoder().decode(bytes)),
        (): Reason => new InvalidResponse({ description: "the answer is not JSON" })
      )
    )
  )

/**
 * The body as bytes, if there are no more of them than a limit allows.
 */
export const readBytes = (
  response: HttpClientResponse.HttpClientResponse,
  what: string,
  limitBytes: number
): Effect.Effect<Uint8Array, Reason> =>
  readUpTo(response, limitBytes).pipe(
    Effect.mapError(cut),
    Effect.flatMap(({ bytes, more }) =>
      more ? Effect.fail(new TooLarge({ description: what, limitBytes })) : Effect.succeed(bytes)
    )
  )

/**
 * Reads a body of which nothing is needed, so that its connection can be used again.
 */
export const discard = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<void, Reason> =>
  Effect.asVoid(Effect.mapError(readUpTo(response, maxErrorBytes), cut))

/**
 * The text of an error, as much of it as came within the limit.
 */
export const readErrorText = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<string> =>
  readUpTo(response, maxErrorBytes).pipe(
    Effect.map(({ bytes, more }) => (more ? "" : new TextDecoder().decode(bytes))),
    // The status still says what happened.
    Effect.orElseSucceed(() => "")
  )
