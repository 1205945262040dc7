/**
 * `ContainerRegistry` on registries that are not ACR: each operation explains the problem, and names the operation to
 * use.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import type { RegistryError } from "../src/RegistryError.ts"
import { never } from "../src/RetryPolicy.ts"
import { sha256 } from "./support/content.ts"
import { empty, refusal } from "./support/lenient.ts"
import { Journal, json, registry, type Reply } from "./support/registry.ts"

const digest = sha256("a")
const lock = { canDelete: false }

const on = <A>(use: (registry: ContainerRegistry["Service"]) => Effect.Effect<A, RegistryError>) =>
  Effect.asVoid(Effect.flatMap(ContainerRegistry, use))

/** Each operation of the management API, and the advice of its error. */
const calls: ReadonlyArray<readonly [string, Effect.Effect<void, RegistryError, ContainerRegistry>, string]> = [
  ["repositories", on((service) => Stream.runDrain(service.repositories())), "RegistryContent.repositories"],
  ["repositoryProperties", on((service) => service.repositoryProperties("a")), "Azure Container Registry ("],
  ["updateRepository", on((service) => service.updateRepository("a", lock)), "Azure Container Registry ("],
  ["deleteRepository", on((service) => service.deleteRepository("a")), "Azure Container Registry ("],
  ["tags", on((service) => Stream.runDrain(service.tags("a"))), "RegistryContent.tags"],
  ["tagProperties", on((service) => service.tagProperties("a", "v1")), "RegistryContent.resolve"],
  ["updateTag", on((service) => service.updateTag("a", "v1", lock)), "Azure Container Registry ("],
  ["deleteTag", on((service) => service.deleteTag("a", "v1")), "RegistryContent.deleteTag"],
  ["manifests", on((service) => Stream.runDrain(service.manifests("a"))), "Azure Container Registry ("],
  ["manifestProperties", on((service) => service.manifestProperties("a", digest)), "RegistryContent.resolve"],
  ["manifestProperties", on((service) => service.manifestProperties("a", "v1")), "RegistryContent.resolve"],
  ["updateManifest", on((service) => service.updateManifest("a", digest, lock)), "Azure Container Registry ("],
  ["updateManifest", on((service) => service.updateManifest("a", "v1", lock)), "Azure Container Registry ("],
  ["deleteManifest", on((service) => service.deleteManifest("a", "v1")), "RegistryContent.deleteManifest"],
  [
    "deletedRepositories",
    on((service) => Stream.runDrain(service.deletedRepositories())),
    "Azure Container Registry ("
  ],
  ["deletedManifests", on((service) => Stream.runDrain(service.deletedManifests("a"))), "Azure Container Registry ("],
  ["deletedTags", on((service) => Stream.runDrain(service.deletedTags("a"))), "Azure Container Registry ("],
  ["restoreManifest", on((service) => service.restoreManifest("a", digest)), "Azure Container Registry ("]
]

/** Whether a request names no repository. */
const isCatalog = (name: string): boolean => ["repositories", "deletedRepositories"].includes(name)

const isDeletion = (name: string): boolean => /^delete[A-Z]/.test(name)

const pageNotFound = (headers: { readonly [name: string]: string } = {}) =>
  new Response("404 page not found\n", { status: 404, headers })

const page = (status: number, type = "text/html; charset=utf-8") =>
  new Response("<!doctype html><title>Registry</title>", { status, headers: { "content-type": type } })

const answers: ReadonlyArray<readonly [string, () => Reply]> = [
  ["404 in text", () => pageNotFound()],
  ["404 in HTML", () => page(404)],
  ["404 without a body", () => empty(404)],
  ["404 for the path, in JSON of a registry", () => refusal(404, "METHOD_UNKNOWN")],
  ["404 with a code of its own", () => refusal(404, "NOT_FOUND")],
  [
    "404 with errors that have no code",
    () => json({ errors: [{ status: 404, message: "Not Found" }] }, { status: 404 })
  ],
  ["404 in JSON of a gateway", () => json({ message: "no Route matched with those values" }, { status: 404 })],
  ["404 in JSON of a web server", () => json({ status: 404, error: "Not Found" }, { status: 404 })],
  ["405", () => empty(405)],
  ["405 in JSON", () => refusal(405, "UNSUPPORTED")],
  ["501", () => empty(501)],
  ["200 in HTML", () => page(200)],
  ["200 in HTML, written otherwise", () => page(200, "Text/HTML")],
  ["202 in HTML", () => page(202)],
  ["302 to a login page", () => empty(302, { location: "/login" })],
  ["410", () => refusal(410, "GONE")]
]

/** Further answers to lists. */
const listAnswers: ReadonlyArray<readonly [string, () => Reply]> = [
  ["404 for a repository, although none was requested", () => refusal(404, "NAME_UNKNOWN")]
]

const service = (answer: () => Reply, endpoint = "https://registry.example") =>
  registry(answer, { endpoint, retry: never, credentials: Credentials.layerAnonymous })

describe("on a registry that is not ACR", () => {
  for (const [what, answer] of answers) {
    for (const [name, call, advice] of calls) {
      // Only an operation that deletes expects that status.
      if (what === "202 in HTML" && !isDeletion(name)) continue
      if (what === "202 in HTML" && name === "deleteManifest") continue
      it.effect(`ContainerRegistry.${name} fails with Unsupported where it answers ${what}`, () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(call)
          assert.strictEqual(error.operation, `ContainerRegistry.${name}`)
          assert.strictEqual(error.reason._tag, "Unsupported")
          const expected = "this registry does not have the management API of Azure Container Registry"
          assert.include(error.reason.message, expected)
          assert.include(error.reason.message, advice)
          assert.strictEqual((yield* Journal).length, 1)
        }).pipe(Effect.provide(service(answer)))
      )
    }
  }

  for (const [what, answer] of listAnswers) {
    for (const [name, call] of calls.filter(([name]) => isCatalog(name))) {
      it.effect(`ContainerRegistry.${name} says so where the registry answers ${what}`, () =>
        Effect.gen(function* () {
          assert.strictEqual((yield* Effect.flip(call)).reason._tag, "Unsupported")
        }).pipe(Effect.provide(service(answer)))
      )
    }
  }

  const kept: ReadonlyArray<readonly [string, () => Reply]> = [
    ["NotFound", () => refusal(404, "NAME_UNKNOWN")],
    ["NotFound", () => refusal(404, "TAG_UNKNOWN")],
    ["Unauthenticated", () => refusal(401, "UNAUTHORIZED")],
    ["Forbidden", () => refusal(403, "DENIED")],
    ["Unavailable", () => page(502)],
    ["InvalidResponse", () => json("hello")],
    ["InvalidResponse", () => empty(206)]
  ]
  for (const [tag, answer] of kept) {
    for (const [name, call] of calls) {
      // These read nothing, or nothing that is required.
      if (tag === "InvalidResponse" && isDeletion(name)) continue
      // The request names no repository, so a 404 means that there is no such API.
      if (tag === "NotFound" && isCatalog(name)) continue
      it.effect(`ContainerRegistry.${name} fails with ${tag} as before`, () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(call)
          assert.deepStrictEqual([error.operation, error.reason._tag], [`ContainerRegistry.${name}`, tag])
        }).pipe(Effect.provide(service(answer)))
      )
    }
  }

  it.effect("a delete with another status does not count as done", () =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(on((registry) => registry.deleteTag("a", "v1")))
      assert.deepInclude(reason, { _tag: "InvalidResponse", description: "unexpected status 200" })
    }).pipe(Effect.provide(service(() => empty(200))))
  )

  it.effect("a manifest is deleted by its digest nonetheless", () =>
    Effect.gen(function* () {
      const deleted = yield* Effect.flatMap(ContainerRegistry, (registry) => registry.deleteManifest("a", digest))
      assert.strictEqual(deleted, digest)
    }).pipe(Effect.provide(service(() => empty(202))))
  )
})

describe("on ACR", () => {
  it.effect("a 404 in text is a missing endpoint", () =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(on((registry) => registry.tagProperties("a", "v1")))
      assert.deepInclude(reason, { _tag: "NotFound", resource: "endpoint" })
    }).pipe(Effect.provide(service(() => pageNotFound(), "https://myregistry.azurecr.io")))
  )

  it.effect("with a custom domain is recognized by its correlation id", () =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(on((registry) => registry.tagProperties("a", "v1")))
      assert.deepInclude(reason, { _tag: "NotFound", resource: "endpoint" })
    }).pipe(Effect.provide(service(() => pageNotFound({ "x-ms-correlation-request-id": "6f1c" }))))
  )
})
