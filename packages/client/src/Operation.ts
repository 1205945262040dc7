/**
 * Operations as data: what is asked of a registry, apart from how it is asked.
 *
 * An endpoint that this library does not wrap is one such value, handed to `Transport.execute`, which sees to the login,
 * the retries, the rate limits, the errors and the spans.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type * as HttpBody from "effect/http/HttpBody"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import { decodeJson } from "./internal/http/body.ts"
import { longestLink, nextPage } from "./internal/http/link.ts"
import type { RateLimits } from "./RateLimits.ts"
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
 * const listReferrers = (repository: string, digest: string) =>
 *   Operation.get(`/v2/${repository}/referrers/${digest}`, {
 *     name: "Example.listReferrers",
 *     subject: { repository, digest },
 *     scopes: [TokenScope.repository(repository, "pull")],
 *     bucket: "referrers",
 *     missing: "manifest",
 *     decode: Operation.json(Referrers)
 *   })
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
  readonly bucket: keyof RateLimits
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
  /**
   * Called each time that the connection takes a part of a body of bytes, if the HTTP client tells: that of
   * `@effect-acr/node` does, `fetch` does not.
   */
  readonly onSent?: () => void
  /**
   * Whether a redirect of a GET or a HEAD is followed, without credentials where it leaves the registry. Registries redirect what everybody may
   * read to mirrors; ACR's management API redirects nowhere.
   */
  readonly followsRedirects?: true
  /** How many requests of the same call came before its first one, as traces show it: redirects that were followed. */
  readonly resends?: number
  /** What it comes to when a repeated attempt finds that the first one already removed its object. */
  readonly whenGone?: Effect.Effect<A>
}

type Defaults = "bucket" | "missing" | "repeat" | "scopes" | "success"

/**
 * What an operation has besides its method and path. What may be left out has a default for each method.
 *
 * @category options
 * @since 0.1.0
 */
export type Parts<A> = Omit<Operation<A>, "method" | "path" | Defaults> & Partial<Pick<Operation<A>, Defaults>>

const make =
  (method: Operation<unknown>["method"], defaults: Pick<Operation<unknown>, "bucket" | "repeat" | "success">) =>
  <A>(path: string, parts: Parts<A>): Operation<A> => ({
    scopes: [],
    missing: "endpoint",
    ...defaults,
    ...parts,
    method,
    path
  })

/**
 * Makes an operation that reads: a GET, which may be repeated and succeeds with 200. By default it needs no scope, counts as
 * a `read`, and a 404 means that there is no such endpoint.
 *
 * @category constructors
 * @since 0.1.0
 */
export const get: <A>(path: string, parts: Parts<A>) => Operation<A> = make("GET", {
  bucket: "read",
  repeat: "always",
  success: [200]
})

/**
 * Makes an operation that replaces something: a PUT, which may be repeated and succeeds with 200, 201, 202 or 204. By default
 * it needs no scope and counts as a `write`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const put: <A>(path: string, parts: Parts<A>) => Operation<A> = make("PUT", {
  bucket: "write",
  repeat: "always",
  success: [200, 201, 202, 204]
})

/**
 * Makes an operation that changes something: a POST, which is repeated only if the registry turned it away before it did
 * anything, and succeeds with 200, 201, 202 or 204. By default it needs no scope and counts as a `write`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const post: <A>(path: string, parts: Parts<A>) => Operation<A> = make("POST", {
  bucket: "write",
  repeat: "unprocessed",
  success: [200, 201, 202, 204]
})

/**
 * Makes an operation that removes something: a DELETE, which may be repeated and succeeds with 200, 202 or 204. By default it
 * needs no scope and counts as a `delete`. With `whenGone`, a repeated attempt that finds nothing succeeds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const del: <A>(path: string, parts: Parts<A>) => Operation<A> = make("DELETE", {
  bucket: "delete",
  repeat: "always",
  success: [200, 202, 204]
})

/**
 * A page of a list.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page<A> {
  /** What is on it. */
  readonly items: ReadonlyArray<A>
  /** The link to the next page as the registry wrote it. */
  readonly next: Option.Option<string>
  /**
   * Where the list may continue although the registry sent no link, see `continued`: a page that has nothing new ends it.
   */
  readonly continuation?: {
    /** Path and query of the next page. */
    readonly path: string
    /** What an item is known by. */
    readonly keyOf: (item: A) => string
  }
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
export const withQuery: {
  (query: { readonly [name: string]: string | number | undefined }): (path: string) => string
  (path: string, query: { readonly [name: string]: string | number | undefined }): string
} = dual(2, (path: string, query: { readonly [name: string]: string | number | undefined }): string => {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]
  )
  return pairs.length === 0 ? path : `${path}${path.includes("?") ? "&" : "?"}${pairs.join("&")}`
})

/**
 * Reads an answer's JSON by a schema. What is no JSON, or what the schema does not take, is an `InvalidResponse`; more
 * than 16 MiB are `TooLarge`. Values nested deeper than 64 levels are `null`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const json = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S
): ((response: HttpClientResponse.HttpClientResponse) => Effect.Effect<S["Type"], Reason>) => decodeJson(schema)

/** A list without its further pages would look like the whole of it. */
const linkTooLong = new InvalidResponse({
  description: `the link to the next page is longer than ${longestLink} characters`
})

/**
 * Reads an answer as a page: its items, and the `Link` to the next page (RFC 8288), which has 8192 characters at most. For
 * `Transport.list`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const page =
  <A>(decode: Operation<ReadonlyArray<A>>["decode"]): Operation<Page<A>>["decode"] =>
  (response) => {
    const link = response.headers["link"] ?? ""
    return link.length > longestLink
      ? Effect.fail(linkTooLong)
      : Effect.map(decode(response), (items) => ({ items, next: nextPage(link) }))
  }

/** Far above the length of any name. */
const longestPosition = 1024

const isPosition = (text: string): boolean => text !== "" && text.length <= longestPosition

/** Where a list goes on cannot be told, and it would look whole. */
const noPosition = new InvalidResponse({ description: "no item of a full page has a name to go on from" })

/**
 * Reads pages of a list whose items have an order and a position: a full page without a link is followed by the position
 * of its last item.
 *
 * **Details**
 *
 * OCI distribution specification, "Listing Tags": `last` is the tag after which a page begins. The specification does not
 * demand a `Link`, and some registries send none. ACR sends one wherever there is more, so its own lists need no more.
 *
 * @category decoding
 * @since 0.1.0
 */
export const continued =
  <A>(
    decode: Operation<Page<A>>["decode"],
    list: {
      /** The path of the list, without a query. */
      readonly path: string
      /** The query of its pages, without the position. */
      readonly query: { readonly [name: string]: string | number | undefined }
      /** How many items a full page has; none is known to be full if undefined. */
      readonly pageSize: number | undefined
      /** The position of an item: its name. */
      readonly positionOf: (item: A) => string
    }
  ): Operation<Page<A>>["decode"] =>
  (response) =>
    Effect.flatMap(decode(response), (page) => {
      const { path, pageSize, positionOf, query } = list
      if (Option.isSome(page.next) || pageSize === undefined || page.items.length < Math.max(pageSize, 1)) {
        return Effect.succeed(page)
      }
      const last = page.items.map(positionOf).findLast(isPosition)
      if (last === undefined) return Effect.fail(noPosition)
      return Effect.succeed({
        ...page,
        continuation: { path: withQuery(path, { ...query, last }), keyOf: positionOf }
      })
    })
