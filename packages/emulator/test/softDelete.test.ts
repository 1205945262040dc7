/**
 * Soft delete: what is deleted is in the trash for a while, and what a restore brings back. ACR's documentation, "Recover
 * deleted artifacts with soft delete policy", says each of these but the codes of refusals.
 */
import { spawnSync } from "node:child_process"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { ask, askAsAdmin, basicOf, codeOf, emulator } from "./support/ask.ts"
import { emulatorFile } from "../../../test/support/programs.ts"
import { command } from "./support/command.ts"
import { digestOf, push } from "./support/content.ts"
import { eventually } from "./support/faults.ts"
import { folder } from "./support/folder.ts"

const keeping = emulator({ softDelete: {} })

const Time = Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/))
const times = { createdAt: Time, deletedAt: Time }

const Listed = Schema.fromJsonString(
  Schema.Struct({
    repositories: Schema.optionalKey(Schema.Array(Schema.Struct({ repository: Schema.String, ...times }))),
    manifests: Schema.optionalKey(Schema.Array(Schema.Struct({ digest: Schema.String, ...times }))),
    tags: Schema.optionalKey(Schema.Array(Schema.Struct({ tag: Schema.String, digest: Schema.String, ...times })))
  })
)

/** The records on each page of a list of the trash, as `name` or `name=digest`. */
const pages = Effect.fnUntraced(function* (first: string) {
  const found: Array<ReadonlyArray<string>> = []
  let next: string | undefined = `/acr/v1/_deleted/${first}`
  while (next !== undefined) {
    const reply = yield* askAsAdmin("GET", next)
    assert.strictEqual(reply.status, 200, reply.text)
    const { manifests = [], repositories = [], tags = [] } = yield* Schema.decodeEffect(Listed)(reply.text)
    found.push([
      ...repositories.map(({ repository }) => repository),
      ...manifests.map(({ digest }) => digest),
      ...tags.map(({ digest, tag }) => `${tag}=${digest}`)
    ])
    const link: RegExpExecArray | null = /^<(\/[^>]+)>; rel="next"$/.exec(reply.headers["link"] ?? "")
    assert.strictEqual(link === null, reply.headers["link"] === undefined, "a link that can be read")
    next = link?.[1]
  }
  return found
})

const trash = (list: string) => Effect.map(pages(list), (all) => all.flat())

const seed = (repository: string, ...tags: ReadonlyArray<string>) =>
  Effect.flatMap(AcrEmulator.AcrEmulator, (service) => service.seed({ repository, tags }))

/** An image that differs from all others by its layer. */
const seedLayer = (layer: string, ...tags: ReadonlyArray<string>) =>
  Effect.flatMap(AcrEmulator.AcrEmulator, (service) => service.seed({ repository: "a", tags, layers: [layer] }))

const statusOf = (path: string) => Effect.map(askAsAdmin("GET", path), ({ status }) => status)

const remove = Effect.fnUntraced(function* (path: string) {
  assert.strictEqual((yield* askAsAdmin("DELETE", path)).status, 202, path)
})

const restore = (digest: string, body: unknown = {}, force = "False", repository = "a") =>
  askAsAdmin("POST", `/acr/v1/_deleted/${repository}/_manifests/${digest}?force=${force}`, {
    body: HttpBody.jsonUnsafe(body)
  })

const restored = Effect.fnUntraced(function* (digest: string, body: unknown = {}, force = "False") {
  const reply = yield* restore(digest, body, force)
  assert.strictEqual(reply.status, 200, reply.text)
  return reply.text
})

const refused = Effect.fnUntraced(function* (reply: { readonly status: number; readonly text: string }) {
  return `${reply.status} ${yield* codeOf({ ...reply, headers: {} })}`
})

const lock = (path: string, writeEnabled: boolean) =>
  askAsAdmin("PATCH", path, { body: HttpBody.jsonUnsafe({ writeEnabled }) })

const pushManifest = (reference: string, text: string, mediaType: string, repository = "a") =>
  askAsAdmin("PUT", `/v2/${repository}/manifests/${reference}`, {
    body: HttpBody.uint8Array(new TextEncoder().encode(text), mediaType)
  })

const imageType = "application/vnd.oci.image.manifest.v1+json"

const imageText = (fields: object) => {
  const config = { mediaType: "application/vnd.example.config.v1+json", digest: digestOf("{}"), size: 2 }
  return JSON.stringify({ schemaVersion: 2, mediaType: imageType, config, layers: [], ...fields })
}

/** A subject with a referrer, and a referrer of that. */
const chain = Effect.gen(function* () {
  yield* push("{}")
  const texts: Array<string> = []
  for (const name of ["subject", "referrer", "referrer of the referrer"]) {
    const before = texts.at(-1)
    const subject =
      before === undefined
        ? {}
        : { subject: { mediaType: imageType, digest: digestOf(before), size: Buffer.byteLength(before) } }
    const text = imageText({ annotations: { name }, ...subject })
    assert.strictEqual((yield* pushManifest(digestOf(text), text, imageType)).status, 201)
    texts.push(text)
  }
  const [first = "", second = "", third = ""] = texts.map((text) => digestOf(text))
  return { first, second, third }
})

describe("a registry without soft delete", () => {
  it.live("keeps nothing that is deleted", () =>
    Effect.gen(function* () {
      const digest = yield* seed("a", "v1")
      yield* remove(`/v2/a/manifests/${digest}`)
      assert.deepStrictEqual(yield* trash("a/_manifests"), [])
      assert.strictEqual(yield* refused(yield* restore(digest)), "404 MANIFEST_UNKNOWN")
      yield* remove("/acr/v1/a")
      assert.deepStrictEqual(yield* trash("_catalog"), [])
    }).pipe(Effect.provide(emulator()))
  )
})

describe("the trash", () => {
  it.live("holds a deleted manifest with its tags, and a tag that was deleted alone", () =>
    Effect.gen(function* () {
      const digest = yield* seed("a", "v1", "v2", "v3")
      yield* remove("/acr/v1/a/_tags/v2")
      assert.deepStrictEqual(yield* trash("a/_tags"), [`v2=${digest}`])
      assert.deepStrictEqual(yield* trash("a/_manifests"), [])
      yield* remove(`/v2/a/manifests/${digest}`)
      assert.deepStrictEqual(yield* trash("a/_manifests"), [digest])
      assert.deepStrictEqual(
        yield* trash("a/_tags"),
        ["v1", "v2", "v3"].map((tag) => `${tag}=${digest}`)
      )
      assert.strictEqual(yield* statusOf(`/v2/a/manifests/${digest}`), 404)
      assert.deepStrictEqual(yield* trash("_catalog"), [])
    }).pipe(Effect.provide(keeping))
  )

  it.live("holds a deleted repository with all that it held", () =>
    Effect.gen(function* () {
      const digest = yield* seed("a/b", "v1")
      yield* seed("c")
      yield* remove("/acr/v1/a%2Fb")
      assert.deepStrictEqual(yield* trash("_catalog"), ["a/b"])
      // The Azure CLI does not escape the slash.
      for (const name of ["a%2Fb", "a/b"]) {
        assert.deepStrictEqual(yield* trash(`${name}/_manifests`), [digest])
        assert.deepStrictEqual(yield* trash(`${name}/_tags`), [`v1=${digest}`])
      }
    }).pipe(Effect.provide(keeping))
  )

  it.live("holds the referrers of a deleted subject", () =>
    Effect.gen(function* () {
      const { first, second, third } = yield* chain
      yield* remove(`/v2/a/manifests/${first}`)
      assert.sameMembers(yield* trash("a/_manifests"), [first, second, third])
    }).pipe(Effect.provide(keeping))
  )

  it.live("does not know a repository that never was", () =>
    Effect.gen(function* () {
      for (const list of ["_manifests", "_tags"]) {
        const reply = yield* askAsAdmin("GET", `/acr/v1/_deleted/other/${list}`)
        assert.strictEqual(yield* refused(reply), "404 NAME_UNKNOWN")
      }
      assert.strictEqual(yield* refused(yield* restore(digestOf("x"), {}, "False", "other")), "404 NAME_UNKNOWN")
    }).pipe(Effect.provide(keeping))
  )

  it.live("holds each deletion of a tag, the newest last", () =>
    Effect.gen(function* () {
      const first = yield* seedLayer("first", "v1")
      yield* remove("/acr/v1/a/_tags/v1")
      const second = yield* seedLayer("second", "v1")
      yield* remove(`/v2/a/manifests/${second}`)
      assert.deepStrictEqual(yield* trash("a/_tags"), [`v1=${first}`, `v1=${second}`])
    }).pipe(Effect.provide(keeping))
  )

  it.live("comes in pages", () =>
    Effect.gen(function* () {
      for (const repository of ["e", "a", "c/x", "b", "d"]) {
        yield* seed(repository)
        yield* remove(`/acr/v1/${encodeURIComponent(repository)}`)
      }
      assert.deepStrictEqual(yield* pages("_catalog?n=2"), [["a", "b"], ["c/x", "d"], ["e"]])
      const digest = yield* seed("t/u", "v3", "v1", "v2")
      yield* remove(`/v2/t/u/manifests/${digest}`)
      yield* seedLayer("x")
      assert.deepStrictEqual(yield* pages("t%2Fu/_tags?n=2"), [[`v1=${digest}`, `v2=${digest}`], [`v3=${digest}`]])
      const others = yield* Effect.forEach(["1", "2", "3"], (layer) => seedLayer(layer))
      yield* Effect.forEach(others, (other) => remove(`/v2/a/manifests/${other}`))
      const manifests = yield* pages("a/_manifests?n=2")
      assert.deepStrictEqual(
        manifests.map(({ length }) => length),
        [2, 2]
      )
      for (const other of others) assert.include(manifests.flat(), other)
    }).pipe(Effect.provide(keeping))
  )

  it.effect("loses what was deleted seven days ago", () =>
    Effect.gen(function* () {
      const digest = yield* seedLayer("first", "v1")
      const { headers, text } = yield* askAsAdmin("GET", "/v2/a/manifests/v1")
      yield* seed("b", "v1")
      yield* remove(`/v2/a/manifests/${digest}`)
      yield* remove("/acr/v1/b")
      yield* TestClock.adjust("6 days")
      const later = yield* seedLayer("second", "v2")
      yield* remove("/acr/v1/a/_tags/v2")
      yield* TestClock.adjust("23 hours")
      assert.deepStrictEqual(yield* trash("_catalog"), ["b"])
      assert.deepStrictEqual(yield* trash("a/_manifests"), [digest])
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* trash("_catalog"), [])
      assert.strictEqual(yield* statusOf("/acr/v1/_deleted/b/_manifests"), 404)
      assert.deepStrictEqual(yield* trash("a/_manifests"), [])
      assert.deepStrictEqual(yield* trash("a/_tags"), [`v2=${later}`])
      assert.strictEqual(yield* refused(yield* restore(digest, { tag: "v1" })), "404 MANIFEST_UNKNOWN")
      // What is gone for good may be pushed again.
      assert.strictEqual((yield* pushManifest(digest, text, headers["content-type"] ?? "")).status, 201)
    }).pipe(Effect.provide(keeping))
  )

  it.effect("outlives the emulator in a folder, and expires by the retention of the day", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const digest = yield* Effect.gen(function* () {
        const digest = yield* seed("a", "v1")
        yield* remove("/acr/v1/a")
        return digest
      }).pipe(Effect.provide(emulator({ directory, softDelete: { retention: "5 days" } })))
      yield* TestClock.adjust("6 days")
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(yield* trash("_catalog"), ["a"])
        assert.strictEqual(yield* restored(digest, { tag: "v1" }), JSON.stringify({ digest, tag: "v1" }))
        assert.strictEqual(yield* statusOf("/v2/a/manifests/v1"), 200)
        yield* remove(`/v2/a/manifests/${digest}`)
      }).pipe(Effect.provide(emulator({ directory, softDelete: { retention: "14 days" } })))
      yield* TestClock.adjust("2 days")
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(yield* trash("a/_manifests"), [])
      }).pipe(Effect.provide(emulator({ directory, softDelete: { retention: "1 day" } })))
    })
  )

  for (const retention of ["0 seconds", "-1 days"] as const) {
    it.effect(`cannot keep things for ${retention}`, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(Effect.scoped(AcrEmulator.make({ softDelete: { retention } })))
        assert.strictEqual(exit._tag, "Failure")
      })
    )
  }
})

describe("a restore", () => {
  it.live("brings a manifest back with its content, its age and the requested tag", () =>
    Effect.gen(function* () {
      const digest = yield* seed("a", "v1", "v2")
      const before = (yield* askAsAdmin("GET", "/acr/v1/a/_tags/v1")).text
      const { text } = yield* askAsAdmin("GET", "/v2/a/manifests/v1")
      yield* remove("/acr/v1/a")
      assert.strictEqual(yield* restored(digest, { tag: "v1" }), JSON.stringify({ digest, tag: "v1" }))
      assert.strictEqual((yield* askAsAdmin("GET", "/v2/a/manifests/v1")).text, text)
      assert.strictEqual((yield* askAsAdmin("GET", "/acr/v1/a/_tags/v1")).text, before)
      for (const [, blob = ""] of text.matchAll(/"digest":"([^"]+)"/g)) {
        assert.strictEqual((yield* askAsAdmin("HEAD", `/v2/a/blobs/${blob}`)).status, 200)
      }
      assert.strictEqual(yield* statusOf("/v2/a/manifests/v2"), 404)
      assert.deepStrictEqual(yield* trash("_catalog"), [])
      assert.deepStrictEqual(yield* trash("a/_manifests"), [])
    }).pipe(Effect.provide(keeping))
  )

  it.live("brings one tag back at a time, also of a manifest that is there", () =>
    Effect.gen(function* () {
      const digest = yield* seed("a", "v1", "v2", "v3")
      yield* remove("/acr/v1/a/_tags/v3")
      yield* remove(`/v2/a/manifests/${digest}`)
      assert.strictEqual(yield* restored(digest, { tag: null }), JSON.stringify({ digest }))
      assert.deepStrictEqual(yield* trash("a/_manifests"), [])
      assert.lengthOf(yield* trash("a/_tags"), 3)
      for (const tag of ["v1", "v2", "v3"]) {
        assert.strictEqual(yield* statusOf(`/v2/a/manifests/${tag}`), 404)
        yield* restored(digest, { tag })
        assert.strictEqual(yield* statusOf(`/v2/a/manifests/${tag}`), 200)
      }
      assert.deepStrictEqual(yield* trash("a/_tags"), [])
      assert.strictEqual(yield* refused(yield* restore(digest)), "404 MANIFEST_UNKNOWN")
    }).pipe(Effect.provide(keeping))
  )

  it.live("of a tag that was not deleted with the manifest is refused", () =>
    Effect.gen(function* () {
      const digest = yield* seed("a", "v1")
      yield* remove(`/v2/a/manifests/${digest}`)
      assert.strictEqual(yield* refused(yield* restore(digest, { tag: "v2" })), "404 TAG_UNKNOWN")
      assert.deepStrictEqual(yield* trash("a/_manifests"), [digest])
    }).pipe(Effect.provide(keeping))
  )

  it.live("moves a tag only by force, and puts the one that it overwrites into the trash", () =>
    Effect.gen(function* () {
      const first = yield* seedLayer("first", "v1")
      yield* remove(`/v2/a/manifests/${first}`)
      const second = yield* seedLayer("second", "v1")
      const before = (yield* askAsAdmin("GET", "/v2/a/manifests/v1")).text
      assert.strictEqual(yield* refused(yield* restore(first, { tag: "v1" }, "False")), "409 TAG_EXISTS")
      assert.strictEqual((yield* askAsAdmin("GET", "/v2/a/manifests/v1")).text, before)
      assert.deepStrictEqual(yield* trash("a/_manifests"), [first])
      yield* restored(first, { tag: "v1" }, "True")
      assert.strictEqual((yield* askAsAdmin("GET", "/v2/a/manifests/v1")).headers["docker-content-digest"], first)
      assert.deepStrictEqual(yield* trash("a/_tags"), [`v1=${second}`])
      assert.strictEqual(yield* statusOf(`/v2/a/manifests/${second}`), 200)
    }).pipe(Effect.provide(keeping))
  )

  it.live("moves no tag that is locked, by force or not, and writes to no repository that is", () =>
    Effect.gen(function* () {
      const first = yield* seedLayer("first", "v1")
      yield* remove(`/v2/a/manifests/${first}`)
      yield* seedLayer("second", "v1")
      yield* lock("/acr/v1/a/_tags/v1", false)
      assert.strictEqual((yield* restore(first, { tag: "v1" }, "True")).status, 405)
      yield* lock("/acr/v1/a/_tags/v1", true)
      yield* lock("/acr/v1/a", false)
      assert.strictEqual((yield* restore(first, { tag: "v1" }, "True")).status, 405)
      yield* lock("/acr/v1/a", true)
      yield* restored(first, { tag: "v1" }, "True")
    }).pipe(Effect.provide(keeping))
  )

  it.live("of an index leaves its images in the trash", () =>
    Effect.gen(function* () {
      const service = yield* AcrEmulator.AcrEmulator
      const index = yield* service.seed({ repository: "a", tags: ["v1"], platforms: ["linux/amd64", "linux/arm64"] })
      const { text } = yield* askAsAdmin("GET", "/v2/a/manifests/v1")
      const children = Array.from(text.matchAll(/"digest":"([^"]+)"/g), ([, digest = ""]) => digest)
      assert.lengthOf(children, 2)
      yield* remove("/acr/v1/a")
      yield* restored(index, { tag: "v1" })
      assert.strictEqual((yield* askAsAdmin("GET", "/v2/a/manifests/v1")).text, text)
      for (const child of children) {
        assert.strictEqual(yield* statusOf(`/v2/a/manifests/${child}`), 404)
        yield* restored(child)
        assert.strictEqual(yield* statusOf(`/v2/a/manifests/${child}`), 200)
      }
    }).pipe(Effect.provide(keeping))
  )

  it.live("of a referrer before its subject is refused, and no subject brings its referrers", () =>
    Effect.gen(function* () {
      const { first, second, third } = yield* chain
      yield* remove(`/v2/a/manifests/${first}`)
      for (const early of [third, second]) {
        assert.strictEqual(yield* refused(yield* restore(early)), "409 SUBJECT_SOFT_DELETED")
      }
      yield* restored(first)
      assert.sameMembers(yield* trash("a/_manifests"), [second, third])
      yield* restored(second)
      yield* restored(third)
      assert.include((yield* askAsAdmin("GET", `/v2/a/referrers/${first}`)).text, second)
      assert.include((yield* askAsAdmin("GET", `/v2/a/referrers/${second}`)).text, third)
    }).pipe(Effect.provide(keeping))
  )

  for (const body of ["", "[", '"v1"', '{"tag":1}']) {
    it.live(`with the body ${JSON.stringify(body)} is refused`, () =>
      Effect.gen(function* () {
        const digest = yield* seed("a", "v1")
        yield* remove(`/v2/a/manifests/${digest}`)
        const reply = yield* askAsAdmin("POST", `/acr/v1/_deleted/a/_manifests/${digest}?force=False`, { body })
        assert.strictEqual(yield* refused(reply), "400 UNSUPPORTED")
      }).pipe(Effect.provide(keeping))
    )
  }
})

describe("a push", () => {
  it.live("of a digest that is in the trash is refused, by tag and by digest", () =>
    Effect.gen(function* () {
      const digest = yield* seed("a", "v1")
      const { headers, text } = yield* askAsAdmin("GET", "/v2/a/manifests/v1")
      const again = (reference: string) => pushManifest(reference, text, headers["content-type"] ?? "")
      yield* remove(`/v2/a/manifests/${digest}`)
      for (const reference of ["v1", digest]) {
        assert.strictEqual(yield* refused(yield* again(reference)), "400 MANIFEST_SOFT_DELETED")
      }
      yield* restored(digest)
      assert.strictEqual((yield* again("v1")).status, 201)
    }).pipe(Effect.provide(keeping))
  )

  it.live("to a deleted repository restores the repository, and none of what it held", () =>
    Effect.gen(function* () {
      const first = yield* seedLayer("first", "v1")
      const createdTime = /"createdTime":"[^"]+"/
      const [before] = createdTime.exec((yield* askAsAdmin("GET", "/acr/v1/a")).text) ?? []
      yield* remove("/acr/v1/a")
      assert.strictEqual(yield* statusOf("/acr/v1/a"), 404)
      yield* push("a blob")
      const [after] = createdTime.exec((yield* askAsAdmin("GET", "/acr/v1/a")).text) ?? []
      assert.strictEqual(after, before)
      assert.deepStrictEqual(yield* trash("_catalog"), [])
      assert.deepStrictEqual(yield* trash("a/_manifests"), [first])
      assert.strictEqual(yield* statusOf("/v2/a/manifests/v1"), 404)
    }).pipe(Effect.provide(keeping))
  )
})

describe("a request for the trash", () => {
  it.live("is challenged for rights of its own", () =>
    Effect.gen(function* () {
      for (const [method, path, scope] of [
        ["GET", "_catalog", "registry:deleted_catalog:*"],
        ["GET", "a%2Fb/_manifests", "repository:a/b:deleted_read"],
        ["GET", "a%2Fb/_tags", "repository:a/b:deleted_read"],
        ["POST", `a%2Fb/_manifests/${digestOf("x")}`, "repository:a/b:deleted_read,deleted_restore"]
      ] as const) {
        const reply = yield* ask(method, `/acr/v1/_deleted/${path}`)
        assert.strictEqual(reply.status, 401, path)
        assert.include(reply.headers["www-authenticate"], `scope="${scope}"`)
      }
    }).pipe(Effect.provide(keeping))
  )

  it.live("requires more than the right to list, pull and delete", () => {
    const login = { username: "all", password: Redacted.make("of a scope map") }
    const actions = ["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"] as const
    return Effect.gen(function* () {
      const digest = yield* seed("a", "v1")
      const deletion = yield* ask("DELETE", `/v2/a/manifests/${digest}`, { headers: basicOf(login) })
      assert.strictEqual(deletion.status, 202)
      for (const path of ["_catalog", "a/_manifests", "a/_tags"]) {
        const reply = yield* ask("GET", `/acr/v1/_deleted/${path}`, { headers: basicOf(login) })
        assert.strictEqual(reply.status, 401, path)
      }
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      const anonymous = yield* ask("GET", `/oauth2/token?service=${loginServer}&scope=registry:deleted_catalog:*`)
      const [, token = ""] = /"access_token":"([^"]+)"/.exec(anonymous.text) ?? []
      const headers = { authorization: `Bearer ${token}` }
      assert.strictEqual((yield* ask("GET", "/acr/v1/_deleted/_catalog", { headers })).status, 401)
    }).pipe(
      Effect.provide(
        emulator({
          softDelete: {},
          anonymousPull: true,
          scopeMapTokens: [{ ...login, scopeMap: [{ repository: "*", actions }] }]
        })
      )
    )
  })
})

/** Asks the command. */
const askCommand = (method: "GET" | "DELETE", url: string) =>
  Effect.flatMap(
    HttpClient.execute(HttpClientRequest.make(method)(url).pipe(HttpClientRequest.basicAuth("admin", "emulator"))),
    ({ text }) => text
  )

/** Deletes what the command was seeded with, and returns where its trash is. */
const emptied = Effect.fnUntraced(function* (...flags: ReadonlyArray<string>) {
  const endpoint = yield* command("--seed", "a:v1", ...flags)
  yield* askCommand("DELETE", `${endpoint}/acr/v1/a`)
  return `${endpoint}/acr/v1/_deleted/_catalog`
})

describe("the command", () => {
  it.live("keeps what is deleted for as long as --soft-delete says, and nothing without it", () =>
    Effect.gen(function* () {
      assert.notInclude(yield* askCommand("GET", yield* emptied()), '"a"')
      assert.include(yield* askCommand("GET", yield* emptied("--soft-delete", "1 hour")), '"a"')
      const trash = yield* emptied("--soft-delete", "1 milli")
      yield* eventually(askCommand("GET", trash), (text) => !text.includes('"a"'))
    }).pipe(Effect.provide(NodeRegistryHttpClient.layer))
  )

  for (const retention of ["soon", "7", "0 days", "-1 days", "Infinity"]) {
    it(`does not start for a retention of ${retention}`, () => {
      const { status, stderr, stdout } = spawnSync(
        process.execPath,
        [emulatorFile, "--port", "0", `--soft-delete=${retention}`],
        {
          encoding: "utf8"
        }
      )
      assert.notStrictEqual(status, 0)
      assert.include(`${stdout}${stderr}`, `Invalid value for flag --soft-delete: "${retention}"`)
    })
  }
})
