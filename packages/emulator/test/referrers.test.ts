/**
 * Referrers: their list, registries that lack a part of it, and pushes with conditions.
 */
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Modes from "../src/Modes.ts"
import { askAsAdmin, codeOf, emulator } from "./support/ask.ts"
import { command } from "./support/command.ts"
import { digestOf, push } from "./support/content.ts"
import { folder } from "./support/folder.ts"

const imageType = "application/vnd.oci.image.manifest.v1+json"
const indexType = "application/vnd.oci.image.index.v1+json"
const configType = "application/vnd.example.config.v1+json"
const signature = "application/vnd.example.signature.v1+json"
const report = "application/vnd.example.report.v1+json"
const artifactTypes = [
  "application/vnd.oci.artifact.manifest.v1+json",
  "application/vnd.cncf.oras.artifact.manifest.v1+json"
]
const unknown = digestOf("nothing")

const put = (
  reference: string,
  content: string,
  mediaType = imageType,
  headers: { readonly [name: string]: string } = {}
) =>
  askAsAdmin("PUT", `/v2/a/manifests/${reference}`, {
    headers,
    body: HttpBody.uint8Array(new TextEncoder().encode(content), mediaType)
  })

const get = (path: string) => askAsAdmin("GET", path)

/** The text of an image without layers; its configuration has to be there. */
const imageText = (fields: object) => {
  const config = { mediaType: configType, digest: digestOf("{}"), size: 2 }
  return JSON.stringify({ schemaVersion: 2, mediaType: imageType, config, layers: [], ...fields })
}

const descriptor = (content: string) => ({
  mediaType: imageType,
  digest: digestOf(content),
  size: Buffer.byteLength(content)
})

const image = imageText({ annotations: { name: "subject" } })
const subject = descriptor(image)

/** Pushes the subject, tagged `v1`. */
const pushSubject = Effect.gen(function* () {
  yield* push("{}")
  assert.strictEqual((yield* put("v1", image)).status, 201)
})

const attach = Effect.fnUntraced(function* (content: string, mediaType = imageType) {
  const pushed = yield* put(digestOf(content), content, mediaType)
  assert.strictEqual(pushed.status, 201, pushed.text)
  return pushed
})

/** Attaches referrers that differ by name only. */
const attachNamed = Effect.fnUntraced(function* (artifactType: string, ...names: ReadonlyArray<string>) {
  const contents = names.map((name) => imageText({ artifactType, subject, annotations: { name } }))
  return yield* Effect.forEach(contents, (content) => Effect.as(attach(content), digestOf(content)))
})

const Index = Schema.fromJsonString(
  Schema.Struct({
    schemaVersion: Schema.Literal(2),
    mediaType: Schema.Literal(indexType),
    manifests: Schema.Array(
      Schema.Struct({
        mediaType: Schema.String,
        digest: Schema.String,
        size: Schema.Int,
        artifactType: Schema.optionalKey(Schema.String),
        annotations: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
      })
    )
  })
)

const path = `/v2/a/referrers/${subject.digest}`

const list = Effect.fnUntraced(function* (address = path) {
  const reply = yield* get(address)
  assert.deepStrictEqual([reply.status, reply.headers["content-type"]], [200, indexType])
  const { manifests } = yield* Schema.decodeEffect(Index)(reply.text)
  return { manifests, digests: manifests.map(({ digest }) => digest), headers: reply.headers }
})

const nextOf = (headers: { readonly [name: string]: string | undefined }) =>
  /^<(\/[^>]+)>; rel="next"$/.exec(headers["link"] ?? "")?.[1]

/** The digests on each page, and the links between the pages. */
const pages = Effect.fnUntraced(function* (first = path) {
  const found: Array<ReadonlyArray<string>> = []
  const links: Array<string> = []
  let next: string | undefined = first
  while (next !== undefined) {
    const { digests, headers } = yield* list(next)
    found.push(digests)
    next = nextOf(headers)
    if (next !== undefined) links.push(next)
  }
  return { found, links }
})

const isThere = (digest: string) => Effect.map(get(`/v2/a/manifests/${digest}`), ({ status }) => status === 200)

const deleteSubject = Effect.map(askAsAdmin("DELETE", `/v2/a/manifests/${subject.digest}`), ({ status }) =>
  assert.strictEqual(status, 202)
)

const withReferrers = (referrers: Modes.ReferrersOptions) => emulator({ referrers })

describe("the list of referrers", () => {
  it.live("is empty for a digest without referrers, for an unknown one, and in an unknown repository", () =>
    Effect.gen(function* () {
      yield* pushSubject
      assert.deepStrictEqual((yield* list()).manifests, [])
      assert.deepStrictEqual((yield* list(`/v2/a/referrers/${unknown}`)).manifests, [])
      assert.deepStrictEqual((yield* list(`/v2/none/referrers/${unknown}`)).manifests, [])
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is 400 for a malformed digest", () =>
    Effect.gen(function* () {
      yield* pushSubject
      for (const digest of ["v1", "sha256:0", `sha256:${"G".repeat(64)}`, `md5:${"0".repeat(32)}`]) {
        for (const repository of ["a", "none"]) {
          const refused = yield* get(`/v2/${repository}/referrers/${digest}`)
          assert.deepStrictEqual([refused.status, yield* codeOf(refused)], [400, "DIGEST_INVALID"], digest)
        }
      }
    }).pipe(Effect.provide(emulator()))
  )

  it.live("has those of a subject that is missing", () =>
    Effect.gen(function* () {
      yield* push("{}")
      const [digest] = yield* attachNamed(signature, "early")
      assert.deepStrictEqual((yield* list()).digests, [digest])
    }).pipe(Effect.provide(emulator()))
  )

  it.live("describes each by its own type, else by that of its configuration; an index may have none", () =>
    Effect.gen(function* () {
      yield* pushSubject
      const typed = imageText({ artifactType: signature, subject, annotations: { by: "me" } })
      const untyped = imageText({ subject })
      const index = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [], subject })
      const typedIndex = JSON.stringify({ ...JSON.parse(index), artifactType: report })
      for (const content of [typed, untyped]) yield* attach(content)
      for (const content of [index, typedIndex]) yield* attach(content, indexType)
      const { manifests } = yield* list()
      assert.deepStrictEqual(manifests, [
        { ...descriptor(typed), artifactType: signature, annotations: { by: "me" } },
        { ...descriptor(untyped), artifactType: configType },
        { ...descriptor(index), mediaType: indexType },
        { ...descriptor(typedIndex), mediaType: indexType, artifactType: report }
      ])
      const byConfig = yield* list(`${path}?artifactType=${encodeURIComponent(configType)}`)
      assert.deepStrictEqual(byConfig.digests, [digestOf(untyped)])
    }).pipe(Effect.provide(emulator()))
  )

  it.live("has the artifact manifests that were withdrawn, also after a restart", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const artifacts = artifactTypes.map((mediaType) => ({
        mediaType,
        content: JSON.stringify({ mediaType, artifactType: signature, blobs: [], subject, annotations: { mediaType } })
      }))
      const expected = artifacts.map(({ content, mediaType }) => ({
        ...descriptor(content),
        mediaType,
        artifactType: signature,
        annotations: { mediaType }
      }))
      yield* Effect.gen(function* () {
        yield* pushSubject
        for (const { content, mediaType } of artifacts) {
          assert.strictEqual((yield* attach(content, mediaType)).headers["oci-subject"], subject.digest)
        }
        assert.deepStrictEqual((yield* list()).manifests, expected)
      }).pipe(Effect.provide(emulator({ directory })))
      yield* Effect.gen(function* () {
        assert.deepStrictEqual((yield* list()).manifests, expected)
        yield* deleteSubject
        assert.deepStrictEqual((yield* list()).manifests, [])
      }).pipe(Effect.provide(emulator({ directory })))
    })
  )

  it.live("does not have other manifests of an unknown type, nor a withdrawn one with a malformed subject", () =>
    Effect.gen(function* () {
      yield* pushSubject
      yield* attach(JSON.stringify({ subject, artifactType: signature }), "application/vnd.example.manifest.v1+json")
      yield* attach(JSON.stringify({ subject: { digest: "sha256:0" }, artifactType: signature }), artifactTypes[0])
      yield* attach("not JSON", artifactTypes[1])
      assert.deepStrictEqual((yield* list()).manifests, [])
    }).pipe(Effect.provide(emulator()))
  )

  it.live("has a referrer whose subject has no size, also after a restart", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const { size: _, ...sizeless } = subject
      const content = imageText({ artifactType: signature, subject: sizeless })
      const referrer = { ...descriptor(content), artifactType: signature }
      yield* Effect.gen(function* () {
        yield* pushSubject
        assert.strictEqual((yield* attach(content)).headers["oci-subject"], subject.digest)
        assert.deepStrictEqual((yield* list()).manifests, [referrer])
        assert.strictEqual((yield* get(`/v2/a/manifests/${digestOf(content)}`)).text, content)
        const digestless = imageText({ subject: { mediaType: imageType } })
        assert.strictEqual((yield* put(digestOf(digestless), digestless)).status, 400)
      }).pipe(Effect.provide(emulator({ directory })))
      const restarted = yield* list().pipe(Effect.provide(emulator({ directory })))
      assert.deepStrictEqual(restarted.manifests, [referrer])
    })
  )

  it.live("is filtered, and says so only then", () =>
    Effect.gen(function* () {
      yield* pushSubject
      const [one] = yield* attachNamed(signature, "one")
      const [two] = yield* attachNamed(report, "two")
      const all = yield* list()
      assert.deepStrictEqual([all.digests, all.headers["oci-filters-applied"]], [[one, two], undefined])
      const some = yield* list(`${path}?artifactType=${encodeURIComponent(report)}`)
      assert.deepStrictEqual([some.digests, some.headers["oci-filters-applied"]], [[two], "artifactType"])
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is one page unless it is limited", () =>
    Effect.gen(function* () {
      yield* pushSubject
      const names = Array.from({ length: 12 }, (_, index) => `n${index}`)
      const digests = yield* attachNamed(signature, ...names)
      assert.deepStrictEqual((yield* pages(`${path}?n=2`)).found, [digests])
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a registry without the referrers API", () => {
  it.live("does not know its path, says nothing of subjects and keeps referrers", () =>
    Effect.gen(function* () {
      yield* pushSubject
      const content = imageText({ artifactType: signature, subject })
      assert.isUndefined((yield* attach(content)).headers["oci-subject"])
      for (const address of [path, `/v2/none/referrers/${unknown}`, "/v2/a/referrers/v1"]) {
        const reply = yield* get(address)
        assert.deepStrictEqual([reply.status, reply.text], [404, "404 page not found\n"])
        assert.match(reply.headers["content-type"] ?? "", /^text\/plain\b/)
      }
      yield* deleteSubject
      assert.isFalse(yield* isThere("v1"))
      assert.isTrue(yield* isThere(digestOf(content)))
    }).pipe(Effect.provide(withReferrers({ api: false, subjectHeader: true, cascade: true })))
  )
})

describe("the command", () => {
  it.live("serves the referrers API without --no-referrers-api", () =>
    Effect.gen(function* () {
      const texts = yield* Effect.forEach([[], ["--no-referrers-api"]], (flags) =>
        Effect.gen(function* () {
          const url = `${yield* command(...flags)}/v2/none/referrers/${unknown}`
          const request = HttpClientRequest.get(url).pipe(HttpClientRequest.basicAuth("admin", "emulator"))
          return yield* Effect.flatMap(HttpClient.execute(request), ({ text }) => text)
        })
      )
      assert.include(texts[0], '"manifests":[]')
      assert.strictEqual(texts[1], "404 page not found\n")
    }).pipe(Effect.provide(NodeRegistryHttpClient.layer))
  )
})

describe("a registry whose referrers API is partial", () => {
  it.live("lists without OCI-Subject", () =>
    Effect.gen(function* () {
      yield* pushSubject
      const content = imageText({ artifactType: signature, subject })
      assert.isUndefined((yield* attach(content)).headers["oci-subject"])
      assert.deepStrictEqual((yield* list()).digests, [digestOf(content)])
    }).pipe(Effect.provide(withReferrers({ subjectHeader: false })))
  )

  it.live("ignores the filter, and does not say that it filters", () =>
    Effect.gen(function* () {
      yield* pushSubject
      const [one] = yield* attachNamed(signature, "one")
      const [two] = yield* attachNamed(report, "two")
      const { digests, headers } = yield* list(`${path}?artifactType=${encodeURIComponent(report)}`)
      assert.deepStrictEqual([digests, headers["oci-filters-applied"]], [[one, two], undefined])
    }).pipe(Effect.provide(withReferrers({ filter: false })))
  )

  it.live("keeps referrers when their subject is deleted", () =>
    Effect.gen(function* () {
      yield* pushSubject
      const digests = yield* attachNamed(signature, "one", "two")
      yield* deleteSubject
      assert.isFalse(yield* isThere(subject.digest))
      assert.deepStrictEqual((yield* list()).digests, digests)
      for (const digest of digests) assert.isTrue(yield* isThere(digest))
    }).pipe(Effect.provide(withReferrers({ cascade: false })))
  )

  it.live("deletes referrers of referrers with their subject otherwise", () =>
    Effect.gen(function* () {
      yield* pushSubject
      const first = imageText({ artifactType: signature, subject })
      const second = imageText({ artifactType: signature, subject: descriptor(first) })
      for (const content of [first, second]) yield* attach(content)
      yield* deleteSubject
      for (const content of [first, second]) assert.isFalse(yield* isThere(digestOf(content)))
    }).pipe(Effect.provide(withReferrers({})))
  )
})

describe("pages of referrers", () => {
  it.live("are linked, in the order of pushes", () =>
    Effect.gen(function* () {
      yield* pushSubject
      const digests = yield* attachNamed(signature, "1", "2", "3", "4", "5")
      const { found, links } = yield* pages()
      assert.deepStrictEqual(found, [digests.slice(0, 2), digests.slice(2, 4), digests.slice(4)])
      for (const link of links) assert.isTrue(link.startsWith(`${path}?position=`), link)
    }).pipe(Effect.provide(withReferrers({ pageSize: 2 })))
  )

  it.live("end without a link, even if the last one is full", () =>
    Effect.gen(function* () {
      yield* pushSubject
      assert.deepStrictEqual((yield* pages()).found, [[]])
      const digests = yield* attachNamed(signature, "1", "2")
      assert.deepStrictEqual((yield* pages()).found, [digests])
    }).pipe(Effect.provide(withReferrers({ pageSize: 2 })))
  )

  it.live("are filtered by a type that their links keep", () =>
    Effect.gen(function* () {
      yield* pushSubject
      const first = yield* attachNamed(report, "1")
      yield* attachNamed(signature, "2")
      const third = yield* attachNamed(report, "3")
      const { found, links } = yield* pages(`${path}?artifactType=${encodeURIComponent(report)}`)
      assert.deepStrictEqual(found, [first, third])
      const [link = ""] = links
      assert.strictEqual(new URLSearchParams(link.split("?")[1]).get("artifactType"), report)
      const next = yield* list(link)
      assert.strictEqual(next.headers["oci-filters-applied"], "artifactType")
    }).pipe(Effect.provide(withReferrers({ pageSize: 1 })))
  )

  it.live("keep the type in their links where it is ignored", () =>
    Effect.gen(function* () {
      yield* pushSubject
      yield* attachNamed(signature, "1", "2")
      const { found, links } = yield* pages(`${path}?artifactType=${encodeURIComponent(report)}`)
      assert.lengthOf(found, 2)
      assert.include(links[0], `artifactType=${encodeURIComponent(report)}`)
    }).pipe(Effect.provide(withReferrers({ pageSize: 1, filter: false })))
  )

  it.live("miss none when those of the page before are deleted", () =>
    Effect.gen(function* () {
      yield* pushSubject
      const [one, two, three] = yield* attachNamed(signature, "1", "2", "3")
      const first = yield* list()
      assert.deepStrictEqual(first.digests, [one, two])
      for (const digest of first.digests) yield* askAsAdmin("DELETE", `/v2/a/manifests/${digest}`)
      assert.deepStrictEqual((yield* list(nextOf(first.headers))).digests, [three])
    }).pipe(Effect.provide(withReferrers({ pageSize: 2 })))
  )

  it.live("have at least one referrer", () =>
    Effect.gen(function* () {
      for (const pageSize of [0, -1, Number.NaN]) {
        const exit = yield* Effect.exit(Effect.provide(Effect.void, withReferrers({ pageSize })))
        assert.strictEqual(exit._tag, "Failure", String(pageSize))
      }
    })
  )
})

const one = imageText({ annotations: { name: "one" } })
const two = imageText({ annotations: { name: "two" } })
const tagged = (content: string) => `"${digestOf(content)}"`

const tagNames = Effect.map(get("/v2/a/manifests/v1"), ({ headers }) => headers["docker-content-digest"])

describe("a push of a tag with a condition", () => {
  it.live("is refused unless the tag names what If-Match says", () =>
    Effect.gen(function* () {
      yield* push("{}")
      for (const tag of ["*", tagged(one)]) {
        const refused = yield* put("v1", one, imageType, { "if-match": tag })
        assert.deepStrictEqual([refused.status, yield* codeOf(refused)], [412, "PRECONDITION_FAILED"])
      }
      assert.isFalse(yield* isThere("v1"))
      assert.isFalse(yield* isThere(digestOf(one)), "a refused push leaves no manifest")

      yield* put("v1", one)
      for (const tag of [tagged(two), digestOf(one), `W/${tagged(one)}`, ""]) {
        assert.strictEqual((yield* put("v1", two, imageType, { "if-match": tag })).status, 412, tag)
      }
      assert.strictEqual(yield* tagNames, digestOf(one))
      assert.strictEqual((yield* put("v1", two, imageType, { "if-match": tagged(one) })).status, 201)
      assert.strictEqual(yield* tagNames, digestOf(two))
      const either = `${tagged(one)}, ${tagged(two)}`
      assert.strictEqual((yield* put("v1", one, imageType, { "if-match": either })).status, 201)
      assert.strictEqual((yield* put("v1", two, imageType, { "if-match": "*" })).status, 201)
    }).pipe(Effect.provide(emulator({ conditionalPut: true })))
  )

  it.live("is refused if the tag names what If-None-Match says", () =>
    Effect.gen(function* () {
      yield* push("{}")
      assert.strictEqual((yield* put("v1", one, imageType, { "if-none-match": "*" })).status, 201)
      for (const tag of ["*", tagged(one)]) {
        const refused = yield* put("v1", two, imageType, { "if-none-match": tag })
        assert.deepStrictEqual([refused.status, yield* codeOf(refused)], [412, "PRECONDITION_FAILED"])
      }
      assert.strictEqual(yield* tagNames, digestOf(one))
      assert.strictEqual((yield* put("v1", two, imageType, { "if-none-match": tagged(two) })).status, 201)
    }).pipe(Effect.provide(emulator({ conditionalPut: true })))
  )

  it.live("succeeds once of many at the same time", () =>
    Effect.gen(function* () {
      yield* push("{}")
      yield* put("v1", one)
      const contents = Array.from({ length: 8 }, (_, index) => imageText({ annotations: { name: String(index) } }))
      const replies = yield* Effect.forEach(
        contents,
        (content) => put("v1", content, imageType, { "if-match": tagged(one) }),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(replies.map(({ status }) => status).toSorted(), [201, ...Array(7).fill(412)])
    }).pipe(Effect.provide(emulator({ conditionalPut: true })))
  )

  it.live("is refused for its content first", () =>
    Effect.gen(function* () {
      yield* push("{}")
      assert.strictEqual((yield* put("v1", "{", imageType, { "if-match": "*" })).status, 400)
    }).pipe(Effect.provide(emulator({ conditionalPut: true })))
  )

  it.live("has none where the manifest is pushed by its digest", () =>
    Effect.gen(function* () {
      yield* push("{}")
      const reply = yield* put(digestOf(one), one, imageType, { "if-match": tagged(two), "if-none-match": "*" })
      assert.strictEqual(reply.status, 201)
    }).pipe(Effect.provide(emulator({ conditionalPut: true })))
  )

  it.live("is not refused by a registry that does not know conditions", () =>
    Effect.gen(function* () {
      yield* push("{}")
      assert.strictEqual((yield* put("v1", one, imageType, { "if-match": tagged(two) })).status, 201)
      assert.strictEqual((yield* put("v1", two, imageType, { "if-none-match": "*" })).status, 201)
      assert.strictEqual(yield* tagNames, digestOf(two))
    }).pipe(Effect.provide(emulator()))
  )
})

describe("the ETag of a manifest", () => {
  it.live("is its digest in quotes", () =>
    Effect.gen(function* () {
      yield* push("{}")
      yield* put("v1", one)
      for (const method of ["GET", "HEAD"] as const) {
        for (const reference of ["v1", digestOf(one)]) {
          const { headers } = yield* askAsAdmin(method, `/v2/a/manifests/${reference}`)
          assert.strictEqual(headers["etag"], tagged(one))
        }
      }
    }).pipe(Effect.provide(emulator()))
  )
})
