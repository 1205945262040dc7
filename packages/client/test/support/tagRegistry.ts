/**
 * A registry that keeps manifests by digest and by tag and has no referrers API, and programs that use it. A schedule
 * decides whose request it answers next.
 */
import { createHash } from "node:crypto"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as TestClock from "effect/testing/TestClock"
import * as Credentials from "../../src/Credentials.ts"
import * as RegistryContent from "../../src/RegistryContent.ts"
import type { RegistryError } from "../../src/RegistryError.ts"
import * as RetryPolicy from "../../src/RetryPolicy.ts"

/** The behaviour of the registry. */
export interface Kind {
  /** Whether it refuses a PUT whose `If-Match` or `If-None-Match` does not hold. */
  readonly honoursConditions?: boolean
  /** Whether it refuses an index that names a manifest which it does not have. */
  readonly checksEntries?: boolean
  /** What a HEAD states in place of the digest: nothing, or another one. */
  readonly headDigest?: "none" | "wrong"
  /** Whether it refuses every PUT that has a condition 412, and every other one of the tag as locked. */
  readonly isImmutable?: boolean
  /** Whether it answers a conditional request 400, as a registry that knows no such header may. */
  readonly refusesConditions?: boolean
}

interface Stored {
  readonly bytes: Uint8Array
  readonly mediaType: string
}

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

const unknown = () => Response.json({ errors: [{ code: "MANIFEST_UNKNOWN", message: "unknown" }] }, { status: 404 })

/** The manifests that an index names; none for any other manifest. */
const entriesIn = (bytes: Uint8Array): ReadonlyArray<string> => {
  const { manifests = [] }: { readonly manifests?: ReadonlyArray<{ readonly digest: string }> } = JSON.parse(
    new TextDecoder().decode(bytes)
  )
  return manifests.map(({ digest }) => digest)
}

/** The state of a registry, and its answers. */
export const make = (kind: Kind = {}) => {
  const { checksEntries = false, honoursConditions = false, isImmutable = false, refusesConditions = false } = kind
  const manifests = new Map<string, Stored>()
  const tags = new Map<string, string>()
  const log: Array<string> = []

  const read = (reference: string): Response => {
    const digest = tags.get(reference) ?? reference
    const stored = manifests.get(digest)
    return stored === undefined
      ? unknown()
      : new Response(Buffer.from(stored.bytes), {
          headers: {
            "content-type": stored.mediaType,
            "docker-content-digest": digest,
            "content-length": String(stored.bytes.length),
            ...(honoursConditions ? { etag: `"${digest}"` } : {})
          }
        })
  }

  const isRefused = (reference: string, headers: HttpClientRequest.HttpClientRequest["headers"]): boolean => {
    const is = tags.get(reference)
    const ifMatch = headers["if-match"]
    return (ifMatch !== undefined && ifMatch !== `"${is}"`) || (headers["if-none-match"] === "*" && is !== undefined)
  }

  const put = (reference: string, request: HttpClientRequest.HttpClientRequest): Response => {
    const { body, headers } = request
    const isConditional = headers["if-match"] !== undefined || headers["if-none-match"] !== undefined
    if (refusesConditions && isConditional) return new Response("what is that?", { status: 400 })
    if (honoursConditions && isRefused(reference, headers)) return new Response(null, { status: 412 })
    if (isImmutable && !reference.includes(":")) {
      if (isConditional) return new Response(null, { status: 412 })
      return Response.json({ errors: [{ code: "TAG_IMMUTABLE", message: "the tag is immutable" }] }, { status: 409 })
    }
    if (body._tag !== "Uint8Array") return new Response(null, { status: 500 })
    if (checksEntries && entriesIn(body.body).some((digest) => !manifests.has(digest))) {
      return Response.json({ errors: [{ code: "MANIFEST_BLOB_UNKNOWN", message: "gone" }] }, { status: 400 })
    }
    const digest = digestOf(body.body)
    manifests.set(digest, { bytes: body.body, mediaType: body.contentType })
    if (!reference.includes(":")) tags.set(reference, digest)
    return new Response(null, { status: 201, headers: { "docker-content-digest": digest } })
  }

  const answer = (request: HttpClientRequest.HttpClientRequest, url: URL): Response => {
    const [, reference] = /^\/v2\/alpine\/manifests\/(.+)$/.exec(url.pathname) ?? []
    if (reference === undefined) return new Response("404 page not found\n", { status: 404 })
    switch (request.method) {
      case "PUT":
        return put(reference, request)
      case "DELETE":
        return manifests.delete(reference) ? new Response(null, { status: 202 }) : unknown()
      case "HEAD": {
        const { headers, status } = read(reference)
        if (kind.headDigest === "none") headers.delete("docker-content-digest")
        if (kind.headDigest === "wrong") headers.set("docker-content-digest", digestOf(new Uint8Array()))
        return new Response(null, { status, headers })
      }
      default:
        return read(reference)
    }
  }

  return {
    tags,
    log,
    answer: (request: HttpClientRequest.HttpClientRequest, url: URL): Response => {
      const given = answer(request, url)
      log.push(`${request.method} ${url.pathname.replace("/v2/alpine/", "")} ${given.status}`)
      return given
    },
    /** The digests in the index that a tag names. */
    entries: (tag: string): ReadonlyArray<string> => {
      const stored = manifests.get(tags.get(tag) ?? "")
      return stored === undefined ? [] : entriesIn(stored.bytes)
    },
    /** Deletes a manifest as another program that does not know the list. */
    remove: (digest: string): void => void manifests.delete(digest),
    /** Puts a manifest as another program. */
    store: (reference: string, mediaType: string, document: object | string): string => {
      const text = typeof document === "string" ? document : JSON.stringify(document)
      const bytes = new TextEncoder().encode(text)
      const digest = digestOf(bytes)
      manifests.set(digest, { bytes, mediaType })
      if (!reference.includes(":")) tags.set(reference, digest)
      return digest
    },
    /** Reads what a reference names, as text. */
    text: (reference: string): string =>
      new TextDecoder().decode(manifests.get(tags.get(reference) ?? reference)?.bytes ?? new Uint8Array())
  }
}

export type TagRegistry = ReturnType<typeof make>

const through = (client: HttpClient.HttpClient) =>
  RegistryContent.layer({
    endpoint: "https://registry.example.com",
    // A request may wait for its turn as long as the schedule says.
    retry: { ...RetryPolicy.defaultPolicy, attemptTimeout: "1 day" }
  }).pipe(Layer.provide(Credentials.layerAnonymous), Layer.provide(Layer.succeed(HttpClient.HttpClient, client)))

/** A program's service, whose requests are answered at once. */
export const program = (registry: TagRegistry) =>
  through(
    HttpClient.make((request, url) =>
      Effect.sync(() => HttpClientResponse.fromWeb(request, registry.answer(request, url)))
    )
  )

/** Whether a request is about a referrers tag, and waits for its turn. */
const isOfTag = (url: URL): boolean => /\/manifests\/sha(?:256|512)-/.test(url.pathname)

/**
 * Runs programs side by side. Each letter of the schedule answers the next request of one of them (`a` is the first) that is
 * about a referrers tag; when it is over, they take turns.
 */
export const interleaved = <E>(
  registry: TagRegistry,
  schedule: string,
  programs: ReadonlyArray<Effect.Effect<unknown, E, RegistryContent.RegistryContent>>
): Effect.Effect<void, E | RegistryError> =>
  Effect.gen(function* () {
    const running = yield* Effect.forEach(programs, (run) =>
      Effect.gen(function* () {
        const waiting = yield* Queue.unbounded<Deferred.Deferred<void>>()
        const client = HttpClient.make((request, url) =>
          Effect.gen(function* () {
            if (isOfTag(url)) {
              const turn = yield* Deferred.make<void>()
              yield* Queue.offer(waiting, turn)
              yield* Deferred.await(turn)
            }
            return HttpClientResponse.fromWeb(request, registry.answer(request, url))
          })
        )
        const fiber = yield* Effect.forkChild(Effect.scoped(Effect.provide(run, through(client))))
        return { waiting, fiber }
      })
    )

    /** Answers the next request of a program, unless it is over. */
    const step = ({ fiber, waiting }: (typeof running)[number]) =>
      Effect.gen(function* () {
        let isAnswered = false
        while (!isAnswered && fiber.pollUnsafe() === undefined) {
          const turn = yield* Queue.poll(waiting)
          isAnswered = Option.isSome(turn) && (yield* Deferred.succeed(turn.value, undefined))
          if (isAnswered) continue
          // A program that sleeps continues: only the schedule decides the order.
          yield* TestClock.adjust("1 second")
        }
      })

    for (const letter of schedule) {
      const next = running[letter.charCodeAt(0) - "a".charCodeAt(0)]
      if (next !== undefined) yield* step(next)
    }
    while (running.some(({ fiber }) => fiber.pollUnsafe() === undefined)) yield* Effect.forEach(running, step)
    yield* Effect.forEach(running, ({ fiber }) => Fiber.join(fiber))
  })

/** All orders in which the letters of two words can be mixed. */
export const mixtures = (one: string, other: string): ReadonlyArray<string> => {
  if (one === "" || other === "") return [`${one}${other}`]
  return [
    ...mixtures(one.slice(1), other).map((rest) => `${one[0]}${rest}`),
    ...mixtures(one, other.slice(1)).map((rest) => `${other[0]}${rest}`)
  ]
}
