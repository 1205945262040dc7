/**
 * Requests to a registry as data, apart from how they are sent.
 *
 * To call an endpoint that this library does not wrap, describe it as an operation and pass it to `Transport.execute`,
 * which handles the login, retries, rate limits, errors and spans.
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
 * The repository, manifest, tag or blob that an operation is about.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subject {
  /** The repository. */
  readonly repository: string
  /** A tag or a digest, for operations that accept both. */
  readonly reference?: string
  /** The digest of the blob or the manifest. */
  readonly digest?: string
}

/**
 * An operation of a registry's HTTP API.
 *
 * **When to use**
 *
 * Make one with `get`, `put`, `post` or `del`, which have the usual defaults of each method.
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
  /** The name in errors and spans, such as `ContainerRegistry.deleteTag`. */
  readonly name: string
  /** The HTTP method. */
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** Path and query, percent-encoded (see `path`). */
  readonly path: string
  /**
   * The origin to send the request to, if it is not for the registry: storage that a redirect or an upload location
   * names. With an origin, the request has no credentials and the client does not answer its challenges, even if the
   * origin is the registry's.
   */
  readonly origin?: string
  /** Headers in addition to those of every request. */
  readonly headers?: { readonly [name: string]: string }
  /**
   * The body, which is sent again with every attempt. A stream in it must start from the beginning each time it runs.
   */
  readonly body?: HttpBody.HttpBody
  /** The subject that traces show. */
  readonly subject?: Subject
  /** The scopes that its token needs, for example `repository:library/hello-world:metadata_read`. */
  readonly scopes: ReadonlyArray<TokenScope>
  /** The rate limit that its requests count against. */
  readonly bucket: keyof RateLimits
  /** What is missing if the registry answers 404 without naming it. */
  readonly missing: NotFound["resource"]
  /** The status codes of success. Any other fails with a `RegistryError`. */
  readonly success: ReadonlyArray<number>
  /** Reads the response. */
  readonly decode: (response: HttpClientResponse.HttpClientResponse) => Effect.Effect<A, Reason>
  /**
   * When the request may be retried: `always`; `unprocessed`, only if the registry rejected it before processing it; or
   * `never`, for callers that handle failures themselves.
   */
  readonly repeat: "always" | "unprocessed" | "never"
  /**
   * Succeeds with a reason when an attempt stalls. It replaces the policy's `attemptTimeout`, for bodies whose transfer
   * may take any time.
   */
  readonly stalled?: Effect.Effect<Reason>
  /**
   * Called each time the connection accepts a part of a body of bytes, with the `HeldBytes` of `ScopedHttpClient`, if the
   * HTTP client reports it: that of `@effect-acr/node` does, `fetch` does not.
   */
  readonly onSent?: (heldBytes: number | undefined) => void
  /**
   * Whether a redirect of a GET or a HEAD is followed, without credentials if it leads away from the registry.
   * Registries redirect public content to mirrors; ACR's management API never redirects.
   */
  readonly followsRedirects?: true
  /** The number of requests that the same call sent before, for traces: redirects that were followed. */
  readonly resends?: number
  /** The result of a retried delete whose first attempt already removed the object. */
  readonly whenGone?: Effect.Effect<A>
  /**
   * The result of a HEAD that the registry answers with 404, for look-ups of what often does not exist: it is faster than to
   * catch `NotFound`. The operation still fails with `NotFound` if its request was anonymous, and the client has a login to
   * which the registry might show more, but which it could not try.
   */
  readonly whenMissing?: Effect.Effect<A>
}

type Defaults = "bucket" | "missing" | "repeat" | "scopes" | "success"

/**
 * The parts of an operation other than its method and path. Optional parts have defaults for each method.
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
 * Makes an operation that reads: a GET, which may be retried and succeeds with 200. By default it needs no scope,
 * counts as a `read`, and a 404 means that there is no such endpoint.
 *
 * **Example** (A HEAD, such as a look-up of a blob)
 *
 * ```ts
 * import { Operation, TokenScope } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * export const hasBlob = (repository: string, digest: string): Operation.Operation<boolean> => ({
 *   ...Operation.get<boolean>(`/v2/${repository}/blobs/${digest}`, {
 *     name: "Example.hasBlob",
 *     scopes: [TokenScope.repository(repository, "pull")],
 *     missing: "blob",
 *     decode: () => Effect.succeed(true),
 *     whenMissing: Effect.succeed(false)
 *   }),
 *   method: "HEAD"
 * })
 * ```
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
 * Makes an operation that replaces something: a PUT, which may be retried and succeeds with 200, 201, 202 or 204. By
 * default it needs no scope and counts as a `write`.
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
 * Makes an operation that changes something: a POST, which is retried only if the registry rejected it before
 * processing it, and succeeds with 200, 201, 202 or 204. By default it needs no scope and counts as a `write`.
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
 * Makes an operation that removes something: a DELETE, which may be retried and succeeds with 200, 202 or 204. By
 * default it needs no scope and counts as a `delete`. With `whenGone`, a retry that finds nothing succeeds.
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
  /** The items of the page. */
  readonly items: ReadonlyArray<A>
  /** The link to the next page, as the registry wrote it. */
  readonly next: Option.Option<string>
  /**
   * How the list may continue although the registry sent no link, see `continued`. A page without new items ends the
   * list.
   */
  readonly continuation?: {
    /** The path and query of the next page. */
    readonly path: string
    /** Returns the key that identifies an item. */
    readonly keyOf: (item: A) => string
  }
}

/**
 * A template tag for paths. It percent-encodes each part, slashes included, as ACR's own clients do.
 *
 * **Example** (Encoding the slash in a repository's name)
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
 * Appends percent-encoded parameters to the query of a path, and leaves out those that are undefined.
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
 * Decodes the JSON of a response with a schema. Fails with `InvalidResponse` if it is not JSON or does not match the
 * schema, and with `TooLarge` above 16 MiB. Values nested deeper than 64 levels are read as `null`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const json = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S
): ((response: HttpClientResponse.HttpClientResponse) => Effect.Effect<S["Type"], Reason>) => decodeJson(schema)

/** A list without its other pages would look complete. */
const linkTooLong = () =>
  new InvalidResponse({ description: `the link to the next page is longer than ${longestLink} characters` })

/**
 * Reads a response as a page for `Transport.list`: its items, and the `Link` to the next page (RFC 8288), which has at
 * most 8192 characters.
 *
 * @category decoding
 * @since 0.1.0
 */
export const page =
  <A>(decode: Operation<ReadonlyArray<A>>["decode"]): Operation<Page<A>>["decode"] =>
  (response) => {
    const link = response.headers["link"] ?? ""
    return link.length > longestLink
      ? Effect.fail(linkTooLong())
      : Effect.map(decode(response), (items) => ({ items, next: nextPage(link) }))
  }

/** Far above the length of any name. */
const longestPosition = 1024

const isPosition = (text: string): boolean => text !== "" && text.length <= longestPosition

/** Without a name to continue from, the list would look complete. */
const noPosition = () => new InvalidResponse({ description: "no item of a full page has a name to continue from" })

/**
 * Reads pages of a list whose items have an order and a position. After a full page without a link, the list continues
 * from the position of the page's last item.
 *
 * **Details**
 *
 * OCI distribution specification, "Listing Tags": `last` is the tag after which a page begins. The specification does
 * not require a `Link`, and some registries send none. ACR sends one whenever there are more items, so its own lists do
 * not need this.
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
      /** The number of items in a full page. If undefined, no page counts as full. */
      readonly pageSize: number | undefined
      /** Returns the position of an item, which is its name. */
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
      if (last === undefined) return Effect.fail(noPosition())
      return Effect.succeed({
        ...page,
        continuation: { path: withQuery(path, { ...query, last }), keyOf: positionOf }
      })
    })
