/**
 * An error names the operation that the caller called, whatever failed in it: the request itself, a request for a token, a
 * tag that is resolved first, a part of a transfer.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as BlobSource from "../src/BlobSource.ts"
import * as Credentials from "../src/Credentials.ts"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Digest from "../src/Digest.ts"
import * as MediaType from "../src/MediaType.ts"
import { RegistryContent, layerTransport } from "../src/RegistryContent.ts"
import { CredentialUnavailable, isRegistryError } from "../src/RegistryError.ts"
import { never } from "../src/RetryPolicy.ts"
import { Transport } from "../src/Transport.ts"
import { NodeFileSystem } from "@effect/platform-node"
import { sha256 } from "./support/content.ts"
import { challenge, entra, json, nodeError, registry, type Reply, type Script } from "./support/registry.ts"

const repository = "alpine"
const bytes = "content"
const digest = sha256(bytes)
const manifest = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociImageIndex, manifests: [] })

const times = { createdTime: "2026-01-01T00:00:00Z", lastUpdateTime: "2026-01-01T00:00:00Z" }
const head = { registry: "myregistry.azurecr.io", imageName: repository }
const aTag = { ...times, name: "v1", digest: sha256(manifest) }
const aManifest = { ...times, digest: sha256(manifest) }
const deletion = { createdAt: times.createdTime, deletedAt: times.lastUpdateTime }
const uploads = "/v2/alpine/blobs/uploads/"

const ok = (body: unknown, status = 200) => json(body, { status })

/** The one blob that the registry does not have. */
const lacking = { digest: Digest.Digest.make(sha256("lacking")), size: 7 }

/** A registry that has everything else, and states as little about it as it may. */
const everything: Script = ({ method, url: { pathname } }) => {
  const at = (pattern: RegExp) => pattern.test(pathname)
  if (at(/^\/oauth2\/exchange/)) return ok({ refresh_token: "refresh" })
  if (at(/^\/oauth2\/token/)) return ok({ access_token: "access" })
  if (method === "DELETE") return ok({ manifestsDeleted: [], tagsDeleted: [] }, 202)
  if (at(/^\/v2\/$/)) return ok({})
  if (at(/_deleted.*_catalog$/)) return ok({ repositories: [{ ...deletion, repository }] })
  if (at(/_deleted.*_tags$/)) return ok({ tags: [{ ...deletion, tag: "v1", digest }] })
  if (at(/_deleted.*_manifests$/)) return ok({ manifests: [{ ...deletion, digest }] })
  if (at(/_deleted/)) return ok({ digest, tag: "v1" })
  if (at(/_catalog$/)) return ok({ repositories: [repository] })
  if (at(/_tags$/)) return ok({ ...head, tags: [aTag] })
  if (at(/_tags\//)) return ok({ ...head, tag: aTag })
  if (at(/_manifests$/)) return ok({ ...head, manifests: [aManifest] })
  if (at(/_manifests\//)) return ok({ ...head, manifest: aManifest })
  if (at(/^\/acr\//)) return ok({ ...times, ...head, manifestCount: 1, tagCount: 1 })
  if (at(/tags\/list$/)) return ok({ tags: ["v1"] })
  if (method === "PUT") return new Response(null, { status: 201 })
  if (method === "POST" || method === "PATCH") {
    return new Response(null, { status: 202, headers: { location: `${uploads}s`, range: "0-6" } })
  }
  if (at(/uploads/)) return new Response(null, { status: 204, headers: { location: `${uploads}s`, range: "0-6" } })
  if (pathname.endsWith(lacking.digest)) return new Response(null, { status: 404 })
  // A HEAD states no size, so the client requests the rest.
  if (at(/\/manifests\//))
    return new Response(method === "HEAD" ? null : manifest, { headers: { "content-type": MediaType.ociImageIndex } })
  return new Response(method === "HEAD" ? null : bytes)
}

/** With a 401 for requests that have no token. */
const guarded =
  (script: Script): Script =>
  (asked, count) =>
    asked.authorization === undefined && !asked.url.pathname.startsWith("/oauth2/")
      ? challenge("repository:alpine:*")
      : script(asked, count)

const request = {
  method: "GET",
  path: "/v2/alpine/manifests/v1",
  scopes: ["repository:alpine:pull"],
  bucket: "read",
  missing: "manifest",
  success: [200],
  repeat: "always",
  decode: () => Effect.void
} as const

type Call = Effect.Effect<unknown, unknown, ContainerRegistry | RegistryContent | Transport | FileSystem.FileSystem>

const onRegistry = <A, E, R>(use: (registry: ContainerRegistry["Service"]) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(ContainerRegistry, use)
const onContent = <A, E, R>(use: (content: RegistryContent["Service"]) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(RegistryContent, use)
const onTransport = <A, E, R>(use: (transport: Transport["Service"]) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(Transport, use)

const lock = { canDelete: false }
const part = { digest: Result.getOrThrow(Digest.parse(digest)), size: bytes.length }

/** A call of each public member, and its variants: by tag and by digest, with and without a size. */
const calls: { readonly [operation: string]: ReadonlyArray<Call> } = {
  "ContainerRegistry.login": [onRegistry(({ login }) => login)],
  "ContainerRegistry.repositories": [onRegistry((registry) => Stream.runDrain(registry.repositories()))],
  "ContainerRegistry.repositoryProperties": [onRegistry((registry) => registry.repositoryProperties(repository))],
  "ContainerRegistry.updateRepository": [onRegistry((registry) => registry.updateRepository(repository, lock))],
  "ContainerRegistry.deleteRepository": [onRegistry((registry) => registry.deleteRepository(repository))],
  "ContainerRegistry.tags": [onRegistry((registry) => Stream.runDrain(registry.tags(repository)))],
  "ContainerRegistry.tagProperties": [onRegistry((registry) => registry.tagProperties(repository, "v1"))],
  "ContainerRegistry.updateTag": [onRegistry((registry) => registry.updateTag(repository, "v1", lock))],
  "ContainerRegistry.deleteTag": [onRegistry((registry) => registry.deleteTag(repository, "v1"))],
  "ContainerRegistry.manifests": [onRegistry((registry) => Stream.runDrain(registry.manifests(repository)))],
  "ContainerRegistry.manifestProperties": [
    onRegistry((registry) => registry.manifestProperties(repository, "v1")),
    onRegistry((registry) => registry.manifestProperties(repository, digest))
  ],
  "ContainerRegistry.updateManifest": [
    onRegistry((registry) => registry.updateManifest(repository, "v1", lock)),
    onRegistry((registry) => registry.updateManifest(repository, digest, lock))
  ],
  "ContainerRegistry.deleteManifest": [
    onRegistry((registry) => registry.deleteManifest(repository, "v1")),
    onRegistry((registry) => registry.deleteManifest(repository, digest))
  ],
  "ContainerRegistry.deletedRepositories": [onRegistry((registry) => Stream.runDrain(registry.deletedRepositories()))],
  "ContainerRegistry.deletedManifests": [
    onRegistry((registry) => Stream.runDrain(registry.deletedManifests(repository)))
  ],
  "ContainerRegistry.deletedTags": [onRegistry((registry) => Stream.runDrain(registry.deletedTags(repository)))],
  "ContainerRegistry.restoreManifest": [
    onRegistry((registry) => registry.restoreManifest(repository, digest, { tag: "v1" }))
  ],
  "RegistryContent.repositories": [onContent((content) => Stream.runDrain(content.repositories()))],
  "RegistryContent.tags": [onContent((content) => Stream.runDrain(content.tags(repository)))],
  "RegistryContent.resolve": [
    onContent((content) => content.resolve(repository, "v1")),
    onContent((content) => content.resolve(repository, digest))
  ],
  "RegistryContent.manifest": [
    onContent((content) => content.manifest(repository, "v1")),
    onContent((content) => content.manifest(repository, digest))
  ],
  "RegistryContent.rawManifest": [
    onContent((content) => content.rawManifest(repository, "v1")),
    onContent((content) => content.rawManifest(repository, digest))
  ],
  "RegistryContent.image": [
    onContent((content) => content.image(repository, "v1")),
    onContent((content) => content.image(repository, digest, { platform: "linux/arm64" }))
  ],
  "RegistryContent.retag": [onContent((content) => content.retag(repository, "v1", "v2"))],
  "RegistryContent.referrers": [
    onContent((content) => Stream.runDrain(content.referrers(repository, "v1"))),
    onContent((content) => Stream.runDrain(content.referrers(repository, digest, { artifactType: "a/b" })))
  ],
  "RegistryContent.putManifest": [
    onContent((content) => content.putManifest(repository, manifest)),
    onContent((content) => content.putManifest(repository, manifest, { tags: ["v1", "v2"] }))
  ],
  "RegistryContent.deleteTag": [onContent((content) => content.deleteTag(repository, "v1"))],
  "RegistryContent.deleteManifest": [
    onContent((content) => content.deleteManifest(repository, "v1")),
    onContent((content) => content.deleteManifest(repository, digest))
  ],
  "RegistryContent.headBlob": [onContent((content) => content.headBlob(repository, digest))],
  "RegistryContent.blob": [
    onContent((content) => Stream.runDrain(content.blob(repository, digest))),
    onContent((content) => Stream.runDrain(content.blob(repository, part)))
  ],
  "RegistryContent.blobRange": [
    onContent((content) => Stream.runDrain(content.blobRange(repository, digest, { offset: 1, length: 2 })))
  ],
  "RegistryContent.blobSource": [
    onContent((content) => Stream.runDrain(content.blobSource(repository, part).read(0))),
    onContent((content) => Stream.runDrain(content.blobSource(repository, part).read(3)))
  ],
  "RegistryContent.blobBytes": [
    onContent((content) => content.blobBytes(repository, digest)),
    onContent((content) => content.blobBytes(repository, digest, { maxSize: 1 }))
  ],
  "RegistryContent.downloadBlob": [
    Effect.scoped(
      Effect.gen(function* () {
        const folder = yield* FileSystem.FileSystem.use((files) => files.makeTempDirectoryScoped())
        return yield* onContent((content) => content.downloadBlob(repository, digest, `${folder}/blob`))
      })
    )
  ],
  "RegistryContent.uploadBlob": [
    onContent((content) => content.uploadBlob(repository, BlobSource.fromString(bytes))),
    onContent((content) => content.uploadBlob(repository, BlobSource.fromString(bytes), { digest })),
    onContent((content) => content.uploadBlob(repository, BlobSource.fromString(bytes), { digest: sha256("other") }))
  ],
  "RegistryContent.putBlob": [
    onContent((content) => content.putBlob(repository, part, BlobSource.fromString(bytes))),
    onContent((content) => content.putBlob(repository, lacking, BlobSource.fromString("lacking"))),
    onContent((content) =>
      content.putBlob(repository, lacking, BlobSource.fromString("lacking"), { mountFrom: "base" })
    ),
    onContent((content) => content.putBlob(repository, lacking, BlobSource.fromString("another")))
  ],
  "RegistryContent.mountBlob": [onContent((content) => content.mountBlob(repository, { digest, from: "base" }))],
  "RegistryContent.deleteBlob": [onContent((content) => content.deleteBlob(repository, digest))],
  "Transport.execute": [onTransport(({ execute }) => execute({ ...request, name: "Transport.execute" }))],
  "Transport.open": [onTransport(({ open }) => Effect.scoped(open({ ...request, name: "Transport.open" })))],
  "Transport.list": [
    onTransport(({ list }) =>
      Stream.runDrain(
        list({
          ...request,
          name: "Transport.list",
          decode: () => Effect.succeed({ items: [], next: Option.some("/v2/alpine/manifests/v2") })
        })
      )
    )
  ],
  "Transport.check": [onTransport(({ check }) => check)],
  "Transport.access": [onTransport(({ access }) => access(["repository:alpine:pull"]))],
  "Transport.authorize": [onTransport(({ authorize }) => authorize(["repository:alpine:pull"]))],
  "Transport.refreshToken": [onTransport(({ refreshToken }) => refreshToken)]
}

const wantsPassword: Script = () =>
  new Response(null, { status: 401, headers: { "www-authenticate": "Basic realm=a" } })

const elsewhere: Script = () =>
  new Response(null, { status: 401, headers: { "www-authenticate": 'Bearer realm="https://a.example/"' } })

/** The n-th request fails. */
const failingAt = (turn: number, failure: () => Reply, script: Script) => {
  let asked = 0
  const failing: Script = (...request) => (++asked === turn ? failure() : script(...request))
  return { failing, hasFailed: () => asked >= turn }
}

const services = (script: Script, credentials: Layer.Layer<Credentials.Credentials> = entra) =>
  Layer.merge(
    layerTransport().pipe(Layer.provideMerge(registry(script, { credentials, retry: never }))),
    NodeFileSystem.layer
  )

/** Fails unless the effect succeeds, or fails with an error of the operation. Returns which. */
const outcome = (operation: string, call: Call, layer: ReturnType<typeof services>, what: string) =>
  Effect.gen(function* () {
    const result = yield* Effect.result(call)
    if (Result.isSuccess(result)) return "succeeded" as const
    const error = result.failure
    if (!isRegistryError(error)) return assert.fail(`${what}: ${String(error)}`)
    assert.strictEqual(error.operation, operation, `${what}: ${error.message}`)
    assert.isTrue(error.message.startsWith(`${operation}: `), error.message)
    return error.reason._tag
  }).pipe(Effect.provide(layer))

const failures: ReadonlyArray<readonly [string, () => Reply]> = [
  ["500", () => json({ errors: [{ code: "UNKNOWN", message: "no" }] }, { status: 500 })],
  ["403", () => json({ errors: [{ code: "DENIED", message: "no" }] }, { status: 403 })],
  ["404", () => json({ errors: [{ code: "UNKNOWN", message: "no" }] }, { status: 404 })],
  ["401", () => new Response(null, { status: 401 })],
  ["a redirect", () => new Response(null, { status: 302, headers: { location: "http://169.254.169.254/" } })],
  ["an invalid answer", () => new Response("<html>")],
  ["a reset", () => "reset"],
  ["a refused connection", () => nodeError("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:1", { syscall: "connect" })]
]

describe("the operation of an error", () => {
  it.effect("is tested for every member of the services", () =>
    Effect.gen(function* () {
      const values = ["endpoint", "loginServer", "retry"]
      // These send no request: see the test of arguments.
      const pure = ["ContainerRegistry.reference"]
      const members = [
        ...Object.keys(yield* ContainerRegistry).map((name) => [name, `ContainerRegistry.${name}`] as const),
        ...Object.keys(yield* RegistryContent).map((name) => [name, `RegistryContent.${name}`] as const),
        ...Object.keys(yield* Transport).map((name) => [name, `Transport.${name}`] as const)
      ]
        .filter(([name, operation]) => !values.includes(name) && !pure.includes(operation))
        .map(([, operation]) => operation)
      assert.sameMembers(Object.keys(calls), members)
    }).pipe(Effect.provide(services(everything)))
  )

  for (const [operation, variants] of Object.entries(calls)) {
    it.effect(`is ${operation}, whichever of its requests fails`, () =>
      Effect.gen(function* () {
        const tags = new Set<string>()
        for (const [index, call] of variants.entries()) {
          for (const [what, failure] of failures) {
            for (const script of [everything, guarded(everything)]) {
              let isDone = false
              for (let turn = 1; !isDone; turn++) {
                const { failing, hasFailed } = failingAt(turn, failure, script)
                const described = `variant ${index}, ${what} at request ${turn}`
                tags.add(yield* outcome(operation, call, services(failing), described))
                isDone = !hasFailed()
              }
            }
          }
        }
        assert.isAtLeast(tags.size, 4)
      })
    )

    it.effect(`is ${operation}, if there is no credential or a wrong one`, () =>
      Effect.gen(function* () {
        const none = new CredentialUnavailable({ credential: "test", problem: "Failed", description: "no" })
        const unavailable = Layer.succeed(Credentials.Credentials, { get: () => Effect.fail(none) })
        for (const call of variants) {
          const first = yield* outcome(operation, call, services(guarded(everything), unavailable), "no credential")
          assert.strictEqual(first, "CredentialUnavailable")
          yield* outcome(operation, call, services(wantsPassword), "a password is wanted")
          yield* outcome(operation, call, services(elsewhere), "a realm that is not trusted")
        }
      })
    )
  }

  it.effect("is that of each caller if several wait for one token", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const content = yield* RegistryContent
      const errors = yield* Effect.all(
        [
          Effect.flip(registry.tagProperties(repository, "v1")),
          Effect.flip(registry.repositoryProperties(repository)),
          Effect.flip(content.manifest(repository, "v1")),
          Effect.flip(content.blobBytes(repository, digest))
        ],
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        errors.map(({ operation }) => operation),
        [
          "ContainerRegistry.tagProperties",
          "ContainerRegistry.repositoryProperties",
          "RegistryContent.manifest",
          "RegistryContent.blobBytes"
        ]
      )
      // The failed request is named separately.
      for (const { request } of errors) assert.include(request?.url, "/oauth2/exchange")
    }).pipe(
      Effect.provide(
        services(
          guarded(({ url }) =>
            url.pathname === "/oauth2/exchange" ? json({ error: "invalid_grant" }, { status: 400 }) : json({})
          )
        )
      )
    )
  )
})
