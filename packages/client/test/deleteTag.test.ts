/**
 * Deleting tags on registries of each kind: which request is sent, when the other one is tried, and the errors.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as Credentials from "../src/Credentials.ts"
import * as RegistryContent from "../src/RegistryContent.ts"
import { patient } from "./support/content.ts"
import { by, empty, refusal, type Route } from "./support/lenient.ts"
import { Journal, json, registry, type Reply } from "./support/registry.ts"

const acrHosts = [
  "myregistry.azurecr.io",
  "myregistry.azurecr.cn",
  "myregistry.azurecr.us",
  "contoso-d7fzf0bgdyhxbzfd.azurecr.io",
  "myregistry.westeurope.geo.azurecr.io"
]

const service = (routes: ReadonlyArray<Route>, endpoint = "https://registry.example", retry = patient) =>
  RegistryContent.layerTransport().pipe(
    Layer.provideMerge(registry(by(...routes), { endpoint, retry, credentials: Credentials.layerAnonymous }))
  )

const deleteTag = (tag = "v1", repository = "team/alpine") =>
  Effect.flatMap(RegistryContent.RegistryContent, (content) => content.deleteTag(repository, tag))

const requests = Effect.map(Journal, (journal) => journal.map(({ method, url }) => `${method} ${url.pathname}`))

const byTag = "DELETE /v2/team/alpine/manifests/v1"
const byAcr = "DELETE /acr/v1/team%2Falpine/_tags/v1"

const oci = (answer: () => Reply): Route => ["DELETE", /^\/v2\/team\/alpine\/manifests\/v\d$/, answer]
const acr = (answer: () => Reply): Route => ["DELETE", /^\/acr\/v1\/team%2Falpine\/_tags\/v\d\?/, answer]

const correlated = { "x-ms-correlation-request-id": "6f1c0000-0000-0000-0000-000000000000" }
const byDigestOnly = () =>
  json({ errors: [{ code: "UNSUPPORTED", message: "A manifest can only be deleted by digest." }] }, { status: 405 })
const pageNotFound = () =>
  new Response("404 page not found\n", { status: 404, headers: { "content-type": "text/plain" } })
const html = (status: number) => () =>
  new Response("<!doctype html><title>Registry</title>", { status, headers: { "content-type": "text/html" } })

describe("a tag on a host of ACR", () => {
  for (const host of acrHosts) {
    it.effect(`is deleted by ACR's API: ${host}`, () =>
      Effect.gen(function* () {
        yield* deleteTag()
        assert.deepStrictEqual(yield* requests, [byAcr])
      }).pipe(Effect.provide(service([acr(() => empty(202, correlated)), oci(() => empty(202))], `https://${host}`)))
    )
  }

  for (const host of ["azurecr.io", "azurecr.io.example", "data.example", "my.registry.azurecr.example.io"]) {
    it.effect(`is not on ${host}`, () =>
      Effect.gen(function* () {
        yield* deleteTag()
        assert.deepStrictEqual(yield* requests, [byTag])
      }).pipe(Effect.provide(service([acr(() => empty(202, correlated)), oci(() => empty(202))], `https://${host}`)))
    )
  }

  it.effect("that does not exist is not found", () =>
    Effect.gen(function* () {
      const { operation, reason } = yield* Effect.flip(deleteTag())
      assert.strictEqual(operation, "RegistryContent.deleteTag")
      assert.deepInclude(reason, { _tag: "NotFound", resource: "tag" })
      assert.deepStrictEqual(yield* requests, [byAcr])
    }).pipe(Effect.provide(service([acr(() => refusal(404, "TAG_UNKNOWN"))], "https://myregistry.azurecr.io")))
  )

  it.effect("that is locked remains", () =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(deleteTag())
      assert.deepInclude(reason, { _tag: "Locked", by: "lock" })
    }).pipe(
      Effect.provide(
        service(
          [
            acr(() =>
              json(
                { errors: [{ code: "REGISTRY_DISALLOWED_OPERATION", message: "the operation is disallowed" }] },
                { status: 405, headers: correlated }
              )
            )
          ],
          "https://myregistry.azurecr.io"
        )
      )
    )
  )
})

describe("a tag on another host", () => {
  for (const status of [200, 202, 204]) {
    it.effect(`is deleted as the specification says (${status}), each time`, () =>
      Effect.gen(function* () {
        yield* deleteTag()
        yield* deleteTag("v2")
        assert.deepStrictEqual(yield* requests, [byTag, "DELETE /v2/team/alpine/manifests/v2"])
      }).pipe(Effect.provide(service([oci(() => empty(status)), acr(() => empty(202, correlated))])))
    )
  }

  for (const code of ["MANIFEST_UNKNOWN", "TAG_UNKNOWN", "UNKNOWN"]) {
    it.effect(`that does not exist is not found, by the code ${code}, and nothing else is tried`, () =>
      Effect.gen(function* () {
        const { operation, reason } = yield* Effect.flip(deleteTag())
        assert.strictEqual(operation, "RegistryContent.deleteTag")
        assert.deepInclude(reason, { _tag: "NotFound", resource: "tag" })
        assert.deepStrictEqual(yield* requests, [byTag])
      }).pipe(Effect.provide(service([oci(() => refusal(404, code)), acr(() => empty(202, correlated))])))
    )
  }

  it.effect("of a missing repository fails with the repository", () =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(deleteTag())
      assert.deepInclude(reason, { _tag: "NotFound", resource: "repository" })
    }).pipe(Effect.provide(service([oci(() => refusal(404, "NAME_UNKNOWN"))])))
  )

  it.effect("is deleted even if the answer is lost", () => {
    let count = 0
    return Effect.gen(function* () {
      yield* deleteTag()
      assert.deepStrictEqual(yield* requests, [byTag, byTag])
    }).pipe(Effect.provide(service([oci(() => (++count === 1 ? "reset" : refusal(404, "MANIFEST_UNKNOWN")))])))
  })

  it.effect("is deleted by ACR's API if the other request is refused, which is remembered", () =>
    Effect.gen(function* () {
      yield* deleteTag()
      yield* deleteTag()
      assert.deepStrictEqual(yield* requests, [byTag, byAcr, byAcr])
    }).pipe(Effect.provide(service([oci(byDigestOnly), acr(() => empty(202, correlated))])))
  )

  it.effect("is deleted by ACR's API as well if the deletion of another tag has detected it meanwhile", () => {
    let isFirst = true
    const busy = () => {
      if (!isFirst) return byDigestOnly()
      isFirst = false
      return refusal(503)
    }
    return Effect.gen(function* () {
      // The first request of a transport is sent alone, because it learns the authentication scheme.
      yield* Effect.flatMap(RegistryContent.RegistryContent, (content) => Stream.runDrain(content.repositories()))
      const slow = yield* Effect.forkChild(deleteTag("v1"))
      yield* TestClock.adjust(0)
      yield* deleteTag("v2")
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(slow)
      assert.deepStrictEqual(yield* requests, [
        "GET /v2/_catalog",
        byTag,
        "DELETE /v2/team/alpine/manifests/v2",
        "DELETE /acr/v1/team%2Falpine/_tags/v2",
        byTag,
        byAcr
      ])
    }).pipe(
      Effect.provide(
        service(
          [["GET", /_catalog$/, () => json({ repositories: [] })], oci(busy), acr(() => empty(202, correlated))],
          "https://registry.example",
          { ...patient, schedule: Schedule.spaced("10 seconds") }
        )
      )
    )
  })

  const ofAcr: ReadonlyArray<readonly [string, () => Reply]> = [
    ["NotFound", () => json({ errors: [{ code: "TAG_UNKNOWN" }] }, { status: 404, headers: correlated })],
    [
      "Locked",
      () =>
        json({ errors: [{ code: "DENIED", message: "operation is disallowed" }] }, { status: 405, headers: correlated })
    ],
    ["Forbidden", () => json({ errors: [{ code: "DENIED" }] }, { status: 403, headers: correlated })]
  ]
  for (const [tag, answer] of ofAcr) {
    it.effect(`fails with ${tag} of ACR's API, which is remembered`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(deleteTag())).reason._tag, tag)
        assert.strictEqual((yield* Effect.flip(deleteTag())).reason._tag, tag)
        assert.deepStrictEqual(yield* requests, [byTag, byAcr, byAcr])
      }).pipe(Effect.provide(service([oci(byDigestOnly), acr(answer)])))
    )
  }

  it.effect("survives an outage of ACR's API by retries", () => {
    let count = 0
    const answer = () => (++count <= patientAttempts ? refusal(503) : empty(202, correlated))
    return Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(deleteTag())).reason._tag, "Unavailable")
      yield* deleteTag()
    }).pipe(Effect.provide(service([oci(byDigestOnly), acr(answer)])))
  })

  const refusals: ReadonlyArray<readonly [string, () => Reply]> = [
    ["405", byDigestOnly],
    ["405 without a body", () => empty(405)],
    ["400, as the specification allows", () => refusal(400, "DIGEST_INVALID")],
    ["501", () => empty(501)],
    ["a 404 that is not a registry's", pageNotFound]
  ]
  const others: ReadonlyArray<readonly [string, () => Reply]> = [
    ["404 in text", pageNotFound],
    ["404 in HTML", html(404)],
    ["404 without a body", () => empty(404)],
    ["404 in JSON with a code of no registry", () => refusal(404, "NOT_FOUND")],
    ["405", () => empty(405)],
    ["501", () => empty(501)],
    ["404 in JSON with a registry's code", () => refusal(404, "NAME_UNKNOWN")],
    ["202 without a correlation id of ACR", () => empty(202)],
    ["200 in HTML", html(200)],
    ["202 in HTML", html(202)]
  ]
  const pairs = [
    ...refusals.map(([what, refused]) => [what, refused, "404 in text", pageNotFound] as const),
    ...others.map(([other, answer]) => ["405", byDigestOnly, other, answer] as const)
  ]
  for (const [what, refused, other, answer] of pairs) {
    it.effect(`remains if the registry answers ${what}, and ${other} to ACR's API, which is tried once`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(deleteTag())
        assert.strictEqual(error.operation, "RegistryContent.deleteTag")
        assert.strictEqual(error.reason._tag, "Unsupported")
        assert.include(error.reason.message, "this registry does not delete tags: ")
        assert.strictEqual(error.request?.url, "https://registry.example/v2/team/alpine/manifests/v1")
        assert.strictEqual((yield* Effect.flip(deleteTag())).reason._tag, "Unsupported")
        assert.deepStrictEqual(yield* requests, [byTag, byAcr, byTag])
      }).pipe(Effect.provide(service([oci(refused), acr(answer)])))
    )
  }

  for (const [other, answer] of [
    ["401", () => empty(401)],
    ["403", html(403)]
  ] as const) {
    it.effect(
      `remains if the registry answers ${other} to ACR's API, which is tried again: a login may be missing`,
      () =>
        Effect.gen(function* () {
          for (const _ of [1, 2]) assert.strictEqual((yield* Effect.flip(deleteTag())).reason._tag, "Unsupported")
          assert.deepStrictEqual(yield* requests, [byTag, byAcr, byTag, byAcr])
        }).pipe(Effect.provide(service([oci(byDigestOnly), acr(answer)])))
    )
  }

  it.effect("does not count as deleted if a page answers, such as that of a portal", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(deleteTag())).reason._tag, "Unsupported")
      const content = yield* RegistryContent.RegistryContent
      const digest = `sha256:${"0".repeat(64)}`
      for (const deletion of [
        content.deleteManifest("team/alpine", digest),
        content.deleteBlob("team/alpine", digest)
      ]) {
        assert.strictEqual((yield* Effect.flip(Effect.asVoid(deletion))).reason._tag, "Unsupported")
      }
    }).pipe(Effect.provide(service([["DELETE", /./, html(200)]])))
  )

  for (const status of [200, 202]) {
    it.effect(`is deleted if an empty answer of ${status} is labelled as HTML, like Quay's`, () =>
      Effect.gen(function* () {
        yield* deleteTag()
        const content = yield* RegistryContent.RegistryContent
        yield* content.deleteManifest("team/alpine", `sha256:${"0".repeat(64)}`)
      }).pipe(
        Effect.provide(
          service([
            ["DELETE", /./, () => empty(status, { "content-type": "text/html; charset=utf-8", "content-length": "0" })]
          ])
        )
      )
    )
  }

  const told: ReadonlyArray<readonly [string, () => Reply]> = [
    ["InvalidRequest", () => refusal(400, "NAME_INVALID")],
    ["Forbidden", () => refusal(403, "DENIED")],
    ["Locked", () => json({ errors: [{ code: "TAG_IMMUTABLE", message: "the tag is immutable" }] }, { status: 409 })]
  ]
  for (const [tag, answer] of told) {
    it.effect(`remains if the registry refuses with ${tag}, and nothing else is tried`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(deleteTag())).reason._tag, tag)
        assert.deepStrictEqual(yield* requests, [byTag])
      }).pipe(Effect.provide(service([oci(answer), acr(() => empty(202, correlated))])))
    )
  }

  for (const [argument, tag, repository] of [
    ["tag", `sha256:${"a".repeat(64)}`, "team/alpine"],
    ["tag", "../v1", "team/alpine"],
    ["repository", "v1", "Team"]
  ] as const) {
    it.effect(`is not requested with an invalid ${argument}: ${tag} of ${repository}`, () =>
      Effect.gen(function* () {
        const { reason } = yield* Effect.flip(deleteTag(tag, repository))
        assert.deepInclude(reason, { _tag: "InvalidRequest", argument })
        assert.deepStrictEqual(yield* requests, [])
      }).pipe(Effect.provide(service([])))
    )
  }
})

/** The first attempt, and the retries of `patient`. */
const patientAttempts = 4
