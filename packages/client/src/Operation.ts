/**
 * Operations as data: what is asked of a registry, apart from how it is asked.
 *
 * An endpoint that this library does not wrap is one such value, handed to `Transport.execute`, which sees to the login,
 * the retries, the rate limits, the errors and the spans.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as HttpBody from "effect/http/HttpBody"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import { readJson } from "./internal/http/body.ts"
import { nextPage } from "./internal/http/link.ts"
import type { Bucket } from "./RateLimits.ts"
import { InvalidResponse, type NotFound, type Reason } from "./RegistryError.ts"
import type { TokenScope } from "./TokenScope.ts"

/**
 * What an operation is about.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subject {
  /** The repository that it is about. */
  readonly repository: string
  /** A tag or a digest, where either may stand. */
  readonly reference?: string
  /** The blob or the manifest that it is about. */
  readonly digest?: string
}

/**
 * An operation of a registry's HTTP API.
 *
 * **Example** (The referrers of an image: OCI distribution specification, "Listing Referrers")
 *
 * ```ts
 * import { Descriptor, Operation, TokenScope, Transport } from "@effect-acr/client"
 * import { Effect, Schema } from "effect"
 *
 * const Referrers = Schema.Struct({ manifests: Schema.Array(Descriptor.Descriptor) })
 *
 * const listReferrers = (repository: string, digest: string): Operation.Operation<typeof Referrers.Type> => ({
 *   name: "Example.listReferrers",
 *   method: "GET",
 *   path: `/v2/${repository}/referrers/${digest}`,
 *   subject: { repository, digest },
 *   scopes: [TokenScope.repository(repository, "pull")],
 *   bucket: "referrers",
 *   missing: "manifest",
 *   success: [200],
 *   repeat: "always",
 *   decode: Operation.json(Referrers)
 * })
 *
 * export const referrers = (repository: string, digest: string) =>
 *   Effect.flatMap(Transport.Transport, ({ execute }) => execute(listReferrers(repository, digest)))
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Operation<out A> {
  /** What errors and spans call it: `ContainerRegistry.deleteTag`. */
  readonly name: string
  /** The method of its requests. */
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** Path and query, percent-encoded (see `path`). */
  readonly path: string
  /**
   * The origin to send it to, if it is not for the registry: storage that a redirect or an upload location names. An
   * operation with an origin carries no credentials and its challenges are not answered, whatever the origin is.
   */
  readonly origin?: string
  /** Its headers, beside those that every request has. */
  readonly headers?: { readonly [name: string]: string }
  /** Sent again with every attempt, so a stream in it must begin anew each time. */
  readonly body?: HttpBody.HttpBody
  /** What it is about, as traces show it. */
  readonly subject?: Subject
  /** The scopes that a token needs for it, for example `repository:library/hello-world:metadata_read`. */
  readonly scopes: ReadonlyArray<TokenScope>
  /** Which of the registry's counters it counts against. */
  readonly bucket: Bucket
  /** What a 404 says is missing, where the registry does not say so itself. */
  readonly missing: NotFound["resource"]
  /** The statuses of success. Any other becomes a `RegistryError`. */
  readonly success: ReadonlyArray<number>
  /** Reads the answer. */
  readonly decode: (response: HttpClientResponse.HttpClientResponse) => Effect.Effect<A, Reason>
  /**
   * When it may be sent again: `always`; `unprocessed`, if the registry turned it away before it did anything; or
   * `never`, where the caller knows better what to do.
   */
  readonly repeat: "always" | "unprocessed" | "never"
  /**
   * Ends when an attempt has come to a halt, and replaces the policy's `attemptTimeout`: for bodies of which nobody
   * can say how long they take.
   */
  readonly stalled?: Effect.Effect<Reason>
  /** How many requests of the same call came before its first one, as traces show it: redirects that were followed. */
  readonly resends?: number
  /** What it comes to when a repeated attempt finds that the first one already removed its object. */
  readonly whenGone?: Effect.Effect<A>
}

/**
 * A page of a list.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page<out A> {
  /** What is on it. */
  readonly items: ReadonlyArray<A>
  /** The link to the next page as the registry wrote it. */
  readonly next: Option.Option<string>
}

/**
 * Writes a path whose parts are percent-encoded whole, as ACR's own clients do: a template's tag.
 *
 * **Example** (The slash in a repository's name is part of the name)
 *
 * ```ts
 * import { Operation } from "@effect-acr/client"
 *
 * const path = Operation.withQuery(Operation.path`/acr/v1/${"library/alpine"}/_tags`, { n: 10, last: undefined })
 * // "/acr/v1/library%2Falpine/_tags?n=10"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const path = (parts: TemplateStringsArray, ...names: ReadonlyArray<string>): string =>
  String.raw({ raw: parts }, ...names.map(encodeURIComponent))

/**
 * Appends a query, percent-encoded, or more to the one that is there, and leaves out what is undefined.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withQuery = (path: string, query: { readonly [name: string]: string | number | undefined }): string => {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]
  )
  return pairs.length === 0 ? path : `${path}${path.includes("?") ? "&" : "?"}${pairs.join("&")}`
}

const malformed = (error: Schema.SchemaError): Reason =>
  new InvalidResponse({ description: `the answer is not what the protocol says: ${error.message}` })

/**
 * Reads an answer's JSON by a schema. What is no JSON, or what the schema does not take, is an `InvalidResponse`; more
 * than 16 MiB are `TooLarge`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const json = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S
): ((response: HttpClientResponse.HttpClientResponse) => Effect.Effect<S["Type"], Reason>) => {
  const decode = Schema.decodeUnknownEffect(schema)
  return (response) => Effect.flatMap(readJson(response), (body) => Effect.mapError(decode(body), malformed))
}

/**
 * Reads an answer's JSON by a schema, then its parts by a function. What either does not take is an `InvalidResponse`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const jsonWith = <S extends Schema.ConstraintDecoder<unknown>, A>(
  schema: S,
  read: (body: S["Type"]) => Result.Result<A, Schema.SchemaError>
): ((response: HttpClientResponse.HttpClientResponse) => Effect.Effect<A, Reason>) => {
  const decode = json(schema)
  return (response) =>
    Effect.flatMap(decode(response), (body) => Effect.fromResult(Result.mapError(read(body), malformed)))
}

/**
 * Reads an answer as a page: its items, and the `Link` to the next page (RFC 8288). For `Transport.list`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const page =
  <A>(decode: Operation<ReadonlyArray<A>>["decode"]): Operation<Page<A>>["decode"] =>
  (response) =>
    Effect.map(decode(response), (items) => ({
      items,
      next: Option.flatMap(Option.fromUndefinedOr(response.headers["link"]), nextPage)
    }))
