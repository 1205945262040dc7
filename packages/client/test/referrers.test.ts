/**
 * Lists of referrers: from the registry's API, from the referrers tag, and from both.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Digest from "../src/Digest.ts"
import * as Manifest from "../src/Manifest.ts"
import * as MediaType from "../src/MediaType.ts"
import * as RateLimits from "../src/RateLimits.ts"
import * as RegistryContent from "../src/RegistryContent.ts"
import { content, sha256 } from "./support/content.ts"
import { type Asked, endpoint, Journal, registry, type Reply, type Script } from "./support/registry.ts"

const empty = { mediaType: MediaType.ociEmpty, digest: Digest.Digest.make(sha256("{}")), size: 2 }
const digest = Digest.Digest.make(sha256("the subject"))
const subject = { mediaType: MediaType.ociImageManifest, digest, size: 11 }
const tag = `sha256-${Digest.hex(digest)}`

const sbom = MediaType.MediaType.make("application/spdx+json")
const signature = MediaType.MediaType.make("application/vnd.cncf.notary.signature")

/** A manifest that may be a referrer, with its descriptor in lists. */
const manifestOf = (parts: {
  readonly name: string
  readonly artifactType?: MediaType.MediaType
  readonly config?: typeof empty
  readonly of?: Manifest.Subject
  readonly mediaType?: MediaType.MediaType
}) => {
  const { artifactType, config = empty, mediaType = MediaType.ociImageManifest, name, of = subject } = parts
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(mediaType === MediaType.ociImageIndex ? { manifests: [] } : { config, layers: [] }),
    subject: of,
    annotations: { name }
  })
  const descriptor = { mediaType, digest: Digest.Digest.make(sha256(text)), size: text.length }
  return {
    text,
    descriptor,
    entry: { ...descriptor, ...(artifactType === undefined ? {} : { artifactType }), annotations: { name } }
  }
}

const bill = manifestOf({ name: "bill", artifactType: sbom })
const seal = manifestOf({ name: "seal", artifactType: signature })

const indexOf = (entries: ReadonlyArray<unknown>, more: object = {}): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociImageIndex, manifests: entries, ...more })

const list = (
  entries: ReadonlyArray<unknown>,
  headers: { readonly [name: string]: string } = {},
  more: object = {}
): Response =>
  new Response(indexOf(entries, more), { headers: { "content-type": MediaType.ociImageIndex, ...headers } })

const error = (status: number, code: string): Response =>
  Response.json({ errors: [{ code, message: "no" }] }, { status })

const notThere = () => error(404, "MANIFEST_UNKNOWN")

type ManifestText = Pick<ReturnType<typeof manifestOf>, "text" | "descriptor">

/** A registry with scripted answers of its API, a referrers tag, and manifests. */
const answering =
  (
    api: (asked: Asked, count: number) => Reply,
    tagged: () => Reply = notThere,
    manifests: ReadonlyArray<ManifestText> = [bill, seal]
  ): Script =>
  (asked, count) => {
    const { pathname } = asked.url
    if (pathname.includes("/referrers/")) return api(asked, count)
    if (pathname.endsWith(`/manifests/${tag}`)) return tagged()
    const found = manifests.find(({ descriptor }) => pathname.endsWith(`/manifests/${descriptor.digest}`))
    return found === undefined
      ? notThere()
      : new Response(found.text, { headers: { "content-type": found.descriptor.mediaType } })
  }

const referrers = (options?: RegistryContent.ReferrersOptions, reference: string = digest) =>
  Effect.flatMap(RegistryContent.RegistryContent, (service) =>
    Effect.map(Stream.runCollect(service.referrers("alpine", reference, options)), (all) =>
      all.map(({ annotations }) => annotations?.["name"])
    )
  )

const paths = Effect.map(Journal, (journal) =>
  journal.map(({ url }) => `${url.pathname.split("/").slice(3).join("/")}${url.search}`)
)

const pageNotFound = () => new Response("404 page not found\n", { status: 404 })

const tagged = () => list([bill.entry, seal.entry])

const deleting =
  (api: () => Reply): Script =>
  (asked, count) =>
    asked.method === "DELETE" ? new Response(null, { status: 202 }) : answering(api)(asked, count)

const put = (manifest: Parameters<RegistryContent.Service["putManifest"]>[1]) =>
  Effect.flatMap(RegistryContent.RegistryContent, (service) => service.putManifest("alpine", manifest))

const counted = (limits: RateLimits.RateLimits) =>
  RegistryContent.layerTransport().pipe(
    Layer.provideMerge(
      registry(
        answering(() => list([])),
        { rateLimits: limits }
      )
    )
  )

describe("a list of referrers by the API", () => {
  it.effect("has each descriptor as the registry states it", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent.RegistryContent
      const all = yield* Stream.runCollect(service.referrers("alpine", digest))
      assert.deepStrictEqual([...all], [bill.entry, seal.entry])
      assert.deepStrictEqual(yield* paths, [`referrers/${digest}`, `manifests/${tag}`])
    }).pipe(Effect.provide(content(answering(() => list([bill.entry, seal.entry])))))
  )

  it.effect("is empty for a manifest that has none, or that does not exist", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* referrers(), [])
    }).pipe(Effect.provide(content(answering(() => list([])))))
  )

  it.effect("fails with NotFound if the repository does not exist", () =>
    Effect.gen(function* () {
      const { operation, reason } = yield* Effect.flip(referrers())
      assert.strictEqual(operation, "RegistryContent.referrers")
      assert.deepInclude(reason, { _tag: "NotFound", resource: "repository" })
    }).pipe(
      Effect.provide(
        content(
          answering(
            () => error(404, "NAME_UNKNOWN"),
            () => error(404, "NAME_UNKNOWN")
          )
        )
      )
    )
  )

  it.effect("is not requested for an invalid digest or tag", () =>
    Effect.gen(function* () {
      for (const bad of ["sha256:short", "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709", "a tag"]) {
        assert.strictEqual((yield* Effect.flip(referrers({}, bad))).reason._tag, "InvalidRequest")
      }
      assert.strictEqual((yield* Effect.flip(referrers({ artifactType: "a report" }))).reason._tag, "InvalidRequest")
      assert.lengthOf(yield* Journal, 0)
    }).pipe(Effect.provide(content(answering(() => list([])))))
  )

  it.effect("of a tag is that of the manifest that the tag names", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* referrers({}, "v1"), ["bill"])
      assert.include(yield* paths, `referrers/${digest}`)
    }).pipe(
      Effect.provide(
        content((asked, count) =>
          asked.method === "HEAD"
            ? new Response(null, {
                headers: {
                  "docker-content-digest": digest,
                  "content-length": "11",
                  "content-type": MediaType.ociImageManifest
                }
              })
            : answering(() => list([bill.entry]))(asked, count)
        )
      )
    )
  )

  for (const [what, link] of [
    ["relative", (at: number) => `</v2/alpine/referrers/${digest}?next=${at}>; rel="next"`],
    ["absolute", (at: number) => `<${endpoint}/v2/alpine/referrers/${digest}?next=${at}>; rel="next"`]
  ] as const) {
    it.effect(`has three pages by links that are ${what}`, () => {
      const pages = ["a", "b", "c"].map((name) => manifestOf({ name, artifactType: sbom }))
      return Effect.gen(function* () {
        assert.deepStrictEqual(yield* referrers(), ["a", "b", "c"])
      }).pipe(
        Effect.provide(
          content(
            answering(({ url }) => {
              const at = Number(url.searchParams.get("next") ?? 0)
              return list([pages[at]?.entry], at < 2 ? { link: link(at + 1) } : {})
            })
          )
        )
      )
    })
  }

  it.effect("is refused if a link leads to another origin", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(referrers())).reason._tag, "Refused")
    }).pipe(
      Effect.provide(content(answering(() => list([bill.entry], { link: '<https://other.example/list>; rel="next"' }))))
    )
  )

  it.effect("ends with an error if the pages of the list repeat", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(referrers())).reason._tag, "InvalidResponse")
    }).pipe(
      Effect.provide(
        content(answering(() => list([bill.entry], { link: `</v2/alpine/referrers/${digest}?next=1>; rel="next"` })))
      )
    )
  )

  it.effect("fails with the second page: the items before are not the whole list", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(referrers())).reason._tag, "NotFound")
    }).pipe(
      Effect.provide(
        content(
          answering(({ url }) =>
            url.search === ""
              ? list([], { link: `</v2/alpine/referrers/${digest}?next=1>; rel="next"` })
              : pageNotFound()
          )
        )
      )
    )
  )

  it.effect("requests the next page when it is needed", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent.RegistryContent
      yield* Stream.runCollect(Stream.take(service.referrers("alpine", digest), 1))
      assert.lengthOf(yield* Journal, 1)
    }).pipe(
      Effect.provide(
        content(answering(() => list([bill.entry], { link: `</v2/alpine/referrers/${digest}?next=1>; rel="next"` })))
      )
    )
  )

  it.effect("has each referrer once, and continues after an odd entry", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* referrers(), ["bill", "seal"])
    }).pipe(
      Effect.provide(
        content(answering(() => list([bill.entry, null, { digest: "sha1:1" }, { ...bill.entry }, seal.entry])))
      )
    )
  )
})

describe("a list of referrers of one artifact type", () => {
  it.effect("requests the type, percent-encoded", () =>
    Effect.gen(function* () {
      yield* referrers({ artifactType: sbom })
      assert.strictEqual((yield* paths)[0], `referrers/${digest}?artifactType=application%2Fspdx%2Bjson`)
    }).pipe(Effect.provide(content(answering(() => list([])))))
  )

  it.effect("requests a type that is only a word, which other clients write", () =>
    Effect.gen(function* () {
      yield* referrers({ artifactType: "a&b" })
      assert.strictEqual((yield* paths)[0], `referrers/${digest}?artifactType=a%26b`)
    }).pipe(Effect.provide(content(answering(() => list([])))))
  )

  const notFiltered: ReadonlyArray<readonly [string, { readonly [name: string]: string }]> = [
    ["no header", {}],
    ["a header that names other filters", { "oci-filters-applied": "annotations, artifactTypes" }]
  ]
  for (const [what, headers] of notFiltered) {
    it.effect(`is filtered by the client if the answer has ${what}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* referrers({ artifactType: sbom }), ["bill"])
        // Both state their types.
        assert.deepStrictEqual(
          (yield* paths).filter((path) => path.startsWith("manifests/sha256:")),
          []
        )
      }).pipe(Effect.provide(content(answering(() => list([bill.entry, seal.entry], headers)))))
    )
  }

  const untyped = manifestOf({
    name: "by its configuration",
    config: { ...empty, mediaType: sbom }
  })
  const otherwise = manifestOf({ name: "of another", config: { ...empty, mediaType: signature } })
  const index = manifestOf({ name: "an index", mediaType: MediaType.ociImageIndex })
  const bare = [untyped, otherwise, index].map(({ descriptor, entry: { annotations } }) => ({
    ...descriptor,
    annotations
  }))

  for (const [what, headers, more] of [
    ["the header", { "oci-filters-applied": "artifactType" }, {}],
    ["a header of two filters", { "oci-filters-applied": "annotations, artifactType" }, {}],
    [
      "the annotation of release candidates",
      {},
      { annotations: { "org.opencontainers.referrers.filtersApplied": "artifactType" } }
    ]
  ] as const) {
    it.effect(`is filtered by the registry if the answer has ${what}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* referrers({ artifactType: sbom }), ["by its configuration"])
        assert.deepStrictEqual(yield* paths, [
          `referrers/${digest}?artifactType=application%2Fspdx%2Bjson`,
          `manifests/${tag}`
        ])
      }).pipe(Effect.provide(content(answering(() => list(bare.slice(0, 1), headers, more)))))
    )
  }

  it.effect(
    "reads a manifest once if the list does not state its type: it is that of its configuration; an index has none",
    () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* referrers({ artifactType: sbom }), ["by its configuration"])
        const read = (yield* paths).filter((path) => path.startsWith("manifests/sha256:"))
        assert.sameMembers(
          read,
          bare.map(({ digest }) => `manifests/${digest}`)
        )
      }).pipe(Effect.provide(content(answering(() => list(bare), notThere, [untyped, otherwise, index]))))
  )

  it.effect("reads nothing if all types are wanted", () =>
    Effect.gen(function* () {
      assert.lengthOf(yield* referrers(), 3)
      assert.lengthOf(yield* Journal, 2)
    }).pipe(Effect.provide(content(answering(() => list(bare)))))
  )
})

describe("a registry without the API", () => {
  for (const [what, reply] of [
    ["404 and no JSON", pageNotFound],
    ["404 and another code", () => error(404, "NOT_FOUND")],
    ["404 as for a manifest", () => error(404, "MANIFEST_UNKNOWN")],
    ["404 as for a repository", () => error(404, "NAME_UNKNOWN")],
    ["405", () => error(405, "UNSUPPORTED")],
    ["501", () => new Response(null, { status: 501 })],
    ["400", () => error(400, "UNSUPPORTED")],
    ["200 and a page", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
    ["200 and other JSON", () => Response.json({ referrers: [] })]
  ] as const) {
    it.effect(`that answers ${what} lists those of the referrers tag`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* referrers(), ["bill", "seal"])
        assert.deepStrictEqual(yield* referrers({ artifactType: sbom }), ["bill"])
      }).pipe(Effect.provide(content(answering(reply, tagged))))
    )
  }

  it.effect("and without the tag lists none", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* referrers(), [])
    }).pipe(Effect.provide(content(answering(pageNotFound))))
  )

  for (const [what, reply, reason] of [
    ["401", () => new Response(null, { status: 401 }), "Unauthenticated"],
    ["403", () => error(403, "DENIED"), "Forbidden"],
    ["429", () => error(429, "TOOMANYREQUESTS"), "Throttled"],
    ["503", () => new Response(null, { status: 503 }), "Unavailable"],
    ["500", () => new Response(null, { status: 500 }), "Unavailable"]
  ] as const) {
    it.effect(`is not one that answers ${what}: that is an error, even if the tag exists`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(referrers())).reason._tag, reason)
        assert.isFalse((yield* paths).some((path) => path.includes(tag)))
      }).pipe(Effect.provide(content(answering(reply, tagged))))
    )
  }

  it.effect("is not one that answers 404 to everything: such a server cannot say that there are no referrers", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(referrers())).reason._tag, "NotFound")
    }).pipe(Effect.provide(content(pageNotFound)))
  )

  it.effect("is not one that had the API a moment ago: a gateway's answer is an error, and is not remembered", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* referrers(), ["bill"])
      assert.strictEqual((yield* Effect.flip(referrers())).reason._tag, "NotFound")
      assert.deepStrictEqual(yield* referrers(), ["bill"])
    }).pipe(Effect.provide(content(answering((_, count) => (count === 1 ? pageNotFound() : list([bill.entry]))))))
  )

  it.effect("is not remembered after a page with 200, which may be that of a portal", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* referrers(), [])
      assert.deepStrictEqual(yield* referrers(), ["bill"])
    }).pipe(
      Effect.provide(
        content(
          answering((_, count) =>
            count === 0 ? new Response("<html>", { headers: { "content-type": "text/html" } }) : list([bill.entry])
          )
        )
      )
    )
  )

  it.effect("is remembered if its 404 has no body", () =>
    Effect.gen(function* () {
      yield* Effect.andThen(referrers(), referrers())
      assert.lengthOf(
        (yield* paths).filter((path) => path.startsWith("referrers/")),
        1
      )
    }).pipe(Effect.provide(content(answering(() => new Response(null, { status: 404 }), tagged))))
  )

  it.effect("is remembered for 15 minutes", () =>
    Effect.gen(function* () {
      const asks = Effect.map(paths, (all) => all.filter((path) => path.startsWith("referrers/")).length)
      yield* referrers()
      yield* TestClock.adjust("14 minutes")
      yield* referrers()
      assert.strictEqual(yield* asks, 1)
      yield* TestClock.adjust("2 minutes")
      yield* referrers()
      assert.strictEqual(yield* asks, 2)
    }).pipe(Effect.provide(content(answering(pageNotFound, tagged))))
  )

  it.effect("is not remembered after a push that the registry lists itself", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent.RegistryContent
      yield* referrers()
      const { listedBy } = yield* service.putManifest("alpine", bill.text)
      assert.deepInclude(listedBy, { value: { _tag: "ReferrersApi" } })
      yield* referrers()
      assert.lengthOf(
        (yield* paths).filter((path) => path.startsWith("referrers/")),
        2
      )
    }).pipe(
      Effect.provide(
        content((asked, count) =>
          asked.method === "PUT"
            ? new Response(null, { status: 201, headers: { "oci-subject": digest } })
            : answering((_, count) => (count === 0 ? pageNotFound() : list([])), tagged)(asked, count)
        )
      )
    )
  )
})

describe("the referrers tag", () => {
  const index = manifestOf({ name: "an index", mediaType: MediaType.ociImageIndex })
  const other = manifestOf({ name: "of another subject", artifactType: sbom, of: { ...subject, digest: empty.digest } })
  const unrelated = { text: "{}", descriptor: { ...bill.descriptor, digest: empty.digest, size: 2 } }

  it.effect("is read in addition to the API: referrers of both are listed once", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* referrers(), ["seal", "bill"])
    }).pipe(
      Effect.provide(
        content(
          answering(
            () => list([seal.entry]),
            () => list([bill.entry, seal.entry])
          )
        )
      )
    )
  )

  it.effect(
    "lists only existing referrers of the subject: not deleted ones, and not those of another subject or none",
    () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* referrers(), ["bill"])
      }).pipe(
        Effect.provide(
          content(
            answering(
              pageNotFound,
              () => list([seal.entry, other.entry, unrelated.descriptor, null, "odd", bill.entry, bill.entry]),
              [bill, other, unrelated]
            )
          )
        )
      )
  )

  it.effect("lists by the type of the manifest if a client wrote another into the entry", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* referrers({ artifactType: sbom }), ["bill"])
      assert.deepStrictEqual(yield* referrers({ artifactType: signature }), ["seal"])
      assert.deepStrictEqual(yield* referrers({ artifactType: empty.mediaType }), [])
    }).pipe(
      Effect.provide(
        content(
          answering(pageNotFound, () =>
            list([
              { ...bill.descriptor, artifactType: empty.mediaType },
              { ...seal.entry, artifactType: sbom }
            ])
          )
        )
      )
    )
  )

  it.effect("shows fields of the manifest that a client omitted from the entry", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent.RegistryContent
      const [only] = yield* Stream.runCollect(service.referrers("alpine", digest, { artifactType: sbom }))
      assert.deepStrictEqual(only, bill.entry)
    }).pipe(Effect.provide(content(answering(pageNotFound, () => list([bill.descriptor])))))
  )

  for (const [what, reply] of [
    ["an image", () => new Response(bill.text, { headers: { "content-type": MediaType.ociImageManifest } })],
    ["no JSON", () => new Response("[", { headers: { "content-type": MediaType.ociImageIndex } })],
    ["records of another form", () => list([1, 2])]
  ] as const) {
    it.effect(`that names ${what} has no referrers`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* referrers(), [])
      }).pipe(Effect.provide(content(answering(pageNotFound, reply))))
    )
  }

  it.effect("that the registry reads as the subject itself has no referrers: children of an index do not count", () => {
    const text = indexOf([bill.entry])
    const own = Digest.Digest.make(sha256(text))
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* referrers({}, own), [])
    }).pipe(
      Effect.provide(
        content(({ url }) =>
          url.pathname.endsWith(`/manifests/sha256-${Digest.hex(own)}`)
            ? new Response(text, { headers: { "content-type": MediaType.ociImageIndex } })
            : pageNotFound()
        )
      )
    )
  })

  it.effect("fails the list if it cannot be read, unless the API has listed", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(referrers())).reason._tag, "Forbidden")
    }).pipe(Effect.provide(content(answering(pageNotFound, () => error(403, "DENIED")))))
  )

  for (const [what, reply] of [
    ["403", () => error(403, "DENIED")],
    ["more than 4 MiB", () => list([{ ...bill.entry, annotations: { note: "x".repeat(4 * 1024 * 1024) } }])]
  ] as const) {
    it.effect(`that answers ${what} does not fail the list of the API`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* referrers(), ["seal"])
      }).pipe(Effect.provide(content(answering(() => list([seal.entry]), reply))))
    )
  }

  it.effect("lists the data of the manifests, not of the entries", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent.RegistryContent
      const [only] = yield* Stream.runCollect(service.referrers("alpine", digest))
      assert.deepStrictEqual(only, index.entry)
      assert.deepStrictEqual(yield* referrers({ artifactType: signature }), [])
    }).pipe(
      Effect.provide(
        content(
          answering(
            pageNotFound,
            () =>
              list([
                {
                  ...index.descriptor,
                  artifactType: signature,
                  annotations: { name: "forged" },
                  data: "e30=",
                  urls: ["https://a.example"]
                }
              ]),
            [index]
          )
        )
      )
    )
  )

  for (const [what, reply] of [
    ["is refused with 400", () => error(400, "MANIFEST_INVALID")],
    ["may not be read", () => error(403, "DENIED")],
    ["is locked", () => error(405, "UNSUPPORTED")],
    ["does not match its digest", () => new Response("{}", { headers: { "content-type": MediaType.ociImageManifest } })]
  ] as const) {
    it.effect(`leaves out only a manifest that ${what}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* referrers(), ["bill"])
      }).pipe(
        Effect.provide(
          content((asked, count) =>
            asked.url.pathname.endsWith(seal.descriptor.digest)
              ? reply()
              : answering(pageNotFound, () => list([seal.entry, bill.entry]))(asked, count)
          )
        )
      )
    )
  }

  it.effect("fails the list if the registry cannot answer for a manifest now", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(referrers())).reason._tag, "Unavailable")
    }).pipe(
      Effect.provide(
        content((asked, count) =>
          asked.url.pathname.endsWith(seal.descriptor.digest)
            ? new Response(null, { status: 503 })
            : answering(pageNotFound, tagged)(asked, count)
        )
      )
    )
  )
})

describe("the deletion of a manifest with a subject", () => {
  const remove = Effect.flatMap(RegistryContent.RegistryContent, (service) =>
    Effect.andThen(
      service.deleteManifest("alpine", bill.descriptor.digest),
      service.deleteManifest("alpine", seal.descriptor.digest)
    )
  )

  it.effect("takes one request if the registry is known to list referrers", () =>
    Effect.gen(function* () {
      yield* remove
      assert.deepStrictEqual(yield* paths, [
        `referrers/${bill.descriptor.digest}`,
        `manifests/${bill.descriptor.digest}`,
        `manifests/${seal.descriptor.digest}`
      ])
    }).pipe(Effect.provide(content(deleting(() => list([])))))
  )

  it.effect("happens at once if the registry cannot say whether it lists referrers", () =>
    Effect.gen(function* () {
      yield* Effect.flatMap(RegistryContent.RegistryContent, (service) =>
        service.deleteManifest("alpine", bill.descriptor.digest)
      )
      assert.lengthOf(
        (yield* paths).filter((path) => path.startsWith("referrers/")),
        1
      )
    }).pipe(Effect.provide(content(deleting(() => error(429, "TOOMANYREQUESTS")))))
  )

  it.effect("happens if nothing else can be found out", () =>
    Effect.gen(function* () {
      yield* remove
      assert.lengthOf(
        (yield* Journal).filter(({ method }) => method === "DELETE"),
        2
      )
    }).pipe(
      Effect.provide(
        content(({ method }) => (method === "DELETE" ? new Response(null, { status: 202 }) : error(403, "DENIED")))
      )
    )
  )
})

describe("a pushed manifest", () => {
  it.effect("with a subject that the registry lists touches no tag", () =>
    Effect.gen(function* () {
      const { descriptor, listedBy } = yield* put(bill.text)
      assert.strictEqual(descriptor.digest, bill.descriptor.digest)
      assert.deepInclude(listedBy, { value: { _tag: "ReferrersApi" } })
      assert.deepStrictEqual(yield* paths, [`manifests/${bill.descriptor.digest}`])
    }).pipe(Effect.provide(content(() => new Response(null, { status: 201, headers: { "oci-subject": digest } }))))
  )

  it.effect("without a subject touches no tag either", () =>
    Effect.gen(function* () {
      const { listedBy } = yield* put(Manifest.image({ config: empty, layers: [] }))
      assert.deepInclude(listedBy, { _tag: "None" })
      assert.lengthOf(yield* Journal, 1)
    }).pipe(Effect.provide(content(() => new Response(null, { status: 201 }))))
  )

  it.effect("is refused before anything is sent if it has more than 4 MiB, or a subject without a size", () =>
    Effect.gen(function* () {
      const note = "x".repeat(4 * 1024 * 1024)
      const large = yield* Effect.flip(put(Manifest.image({ config: empty, layers: [], annotations: { note } })))
      assert.deepInclude(large.reason, { _tag: "TooLarge", limitBytes: 4 * 1024 * 1024 })
      const { size: _, ...withoutSize } = subject
      const bare = yield* Effect.flip(put({ ...Manifest.image({ config: empty, layers: [] }), subject: withoutSize }))
      assert.strictEqual(bare.reason._tag, "InvalidRequest")
      assert.lengthOf(yield* Journal, 0)
    }).pipe(Effect.provide(content(() => new Response(null, { status: 201 }))))
  )

  it.effect("is refused before anything is sent if it does not match its descriptor", () =>
    Effect.gen(function* () {
      const bytes = new TextEncoder().encode(bill.text)
      const { reason } = yield* Effect.flip(put({ bytes, descriptor: seal.descriptor }))
      assert.strictEqual(reason._tag, "ContentMismatch")
      assert.lengthOf(yield* Journal, 0)
    }).pipe(Effect.provide(content(() => new Response(null, { status: 201 }))))
  )

  it.effect("may have annotations of 100 KiB", () =>
    Effect.gen(function* () {
      const annotations = { note: "x".repeat(100 * 1024) }
      yield* put(Manifest.image({ config: empty, layers: [], annotations }))
    }).pipe(Effect.provide(content(() => new Response(null, { status: 201 }))))
  )
})

describe("a retagged manifest", () => {
  it.effect("is read once and put unchanged", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent.RegistryContent
      assert.strictEqual(
        (yield* service.retag("alpine", bill.descriptor.digest, "stable")).digest,
        bill.descriptor.digest
      )
      const journal = yield* Journal
      assert.deepStrictEqual(
        journal.map(({ method, url }) => `${method} ${url.pathname}`),
        [`GET /v2/alpine/manifests/${bill.descriptor.digest}`, "PUT /v2/alpine/manifests/stable"]
      )
      assert.strictEqual(journal[1]?.body, bill.text)
      assert.strictEqual(journal[1]?.contentType, MediaType.ociImageManifest)
    }).pipe(
      Effect.provide(
        content((asked, count) =>
          asked.method === "PUT" ? new Response(null, { status: 201 }) : answering(pageNotFound)(asked, count)
        )
      )
    )
  )
})

describe("a raw manifest", () => {
  it.effect("has the verified bytes", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent.RegistryContent
      const { bytes, descriptor, ...rest } = yield* service.rawManifest("alpine", bill.descriptor.digest)
      assert.strictEqual(new TextDecoder().decode(bytes), bill.text)
      assert.deepStrictEqual([descriptor, rest], [bill.descriptor, {}])
      const error = yield* Effect.flip(service.rawManifest("alpine", seal.descriptor.digest))
      assert.strictEqual(error.reason._tag, "ContentMismatch")
      assert.strictEqual(error.operation, "RegistryContent.rawManifest")
    }).pipe(
      Effect.provide(
        content(() => new Response(bill.text, { headers: { "content-type": MediaType.ociImageManifest } }))
      )
    )
  )
})

describe("lists of referrers within a rate limit", () => {
  for (const [name, limits, each] of [
    ["a Standard", RateLimits.acrStandard, 250],
    ["a Premium", RateLimits.acrPremium, 1000]
  ] as const) {
    it.effect(`of ${name} registry: ${each} at once, and then ${each} a minute`, () =>
      Effect.gen(function* () {
        const asked = Effect.map(paths, (all) => all.filter((path) => path.startsWith("referrers/")).length)
        yield* Effect.forkChild(Effect.forEach(Array.from({ length: 1100 }), () => referrers(), { concurrency: 20 }))
        // A second goes by in steps, in which the requests take their turns.
        for (let second = 0; second < 60; second++) {
          for (let step = 0; step < 100; step++) yield* TestClock.adjust("10 millis")
          assert.isAtMost(yield* asked, Math.ceil(each + ((second + 1) * each) / 60))
        }
        assert.isAtLeast(yield* asked, Math.min(1100, 2 * each - 20))
      }).pipe(Effect.provide(counted(limits)))
    )
  }
})
