/**
 * Examples that go from one registry to another.
 */
import { ContainerRegistry, type Digest, RegistryContent } from "@effect-acr/client"
import { AcrEmulator, type Fault } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted, Stream } from "effect"
import { copyBetweenRegistries } from "../copy-between-registries.ts"
import { promoteRelease, ReleaseMoved } from "../promote-release.ts"
import { printed } from "./support.ts"

type Emulator = AcrEmulator.Service

const twoRegistries = Effect.all({ source: AcrEmulator.make(), target: AcrEmulator.make() })

/** The variables that name two registries, and others. */
const withVariables = (
  { source, target }: { readonly source: Emulator; readonly target: Emulator },
  others: { readonly [name: string]: string }
) => {
  const variablesOf = (name: string, { endpoint, logins }: Emulator) => ({
    [`${name}_REGISTRY_ENDPOINT`]: endpoint,
    [`${name}_REGISTRY_USERNAME`]: logins.adminUser.username,
    [`${name}_REGISTRY_PASSWORD`]: Redacted.value(logins.adminUser.password)
  })
  const env = { ...variablesOf("SOURCE", source), ...variablesOf("TARGET", target), ...others }
  return Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
}

const registryOf = (emulator: Emulator) =>
  AcrEmulator.layerRegistry().pipe(Layer.provide(Layer.succeed(AcrEmulator.AcrEmulator, emulator)))

/** What each tag of a repository names. */
const tagsIn = (emulator: Emulator, repository: string) =>
  Effect.flatMap(ContainerRegistry.ContainerRegistry, (registry) => Stream.runCollect(registry.tags(repository))).pipe(
    Effect.map((tags) => Object.fromEntries(tags.map(({ digest, name }) => [name, digest]))),
    Effect.provide(registryOf(emulator))
  )

/** The requests that change something, in order: method and path. */
const writesTo = ({ journal }: Emulator) =>
  Effect.map(journal, (entries) =>
    entries
      .filter(({ method, path }) => method !== "GET" && method !== "HEAD" && !path.startsWith("/oauth2/"))
      .map(({ method, path }) => `${method} ${path}`)
  )

const isUpload = (request: string) => request.startsWith("POST ")

const image = { repository: "contoso/web", platforms: ["linux/amd64", "linux/arm64"] }

describe("copy-between-registries", () => {
  it.effect("leaves the same tags in another registry, each with the same digest", () =>
    Effect.gen(function* () {
      const registries = yield* twoRegistries
      const { seed } = registries.source
      const v1 = yield* seed({ ...image, tags: ["v1"] })
      const v2 = yield* seed({ ...image, tags: ["v2", "latest"], layers: ["another layer"] })
      yield* copyBetweenRegistries.pipe(withVariables(registries, { REPOSITORY: "contoso/web" }))
      // One layer for each, which learns once how to request tokens there.
      for (const { journal } of [registries.source, registries.target]) {
        const refused = (yield* journal).filter(({ status }) => status === 401)
        assert.strictEqual(refused.length, 1)
      }
      assert.deepStrictEqual(yield* tagsIn(registries.target, "mirror/contoso/web"), { v1, v2, latest: v2 })
    })
  )

  it.effect("fails for a manifest of which it does not know what it refers to", () =>
    Effect.gen(function* () {
      const registries = yield* twoRegistries
      yield* Effect.flatMap(RegistryContent.RegistryContent, (content) =>
        content.putManifest("contoso/web", '{"schemaVersion":1}', {
          mediaType: "application/vnd.docker.distribution.manifest.v1+json",
          tag: "v1"
        })
      ).pipe(Effect.provide(registryOf(registries.source)))
      const error = yield* Effect.flip(
        copyBetweenRegistries.pipe(withVariables(registries, { REPOSITORY: "contoso/web" }))
      )
      assert.deepInclude(error._tag === "CopyError" ? error.cause : error, {
        _tag: "GraphError",
        problem: "Unreadable"
      })
      assert.deepStrictEqual((yield* writesTo(registries.target)).filter(isUpload), [])
    })
  )
})

const promote = (registries: { readonly source: Emulator; readonly target: Emulator }, tested: Digest.Digest) =>
  promoteRelease.pipe(withVariables(registries, { REPOSITORY: "contoso/web", TAG: "v2", DIGEST: tested }))

describe("promote-release", () => {
  it.effect("sends all platforms of what was tested, and the tag when the rest is there", () =>
    Effect.gen(function* () {
      const registries = yield* twoRegistries
      const tested = yield* registries.source.seed({ ...image, tags: ["v2"] })
      yield* promote(registries, tested)

      assert.deepStrictEqual(yield* tagsIn(registries.target, "contoso/web"), { v2: tested })
      const { manifest } = yield* RegistryContent.RegistryContent.pipe(
        Effect.flatMap((content) => content.manifest("contoso/web", "v2")),
        Effect.provide(registryOf(registries.target))
      )
      assert.strictEqual(manifest._tag === "ImageIndex" ? manifest.manifests.length : 0, 2)

      // The tag is looked at, but nothing is read by it.
      const byTag = (yield* registries.source.journal).filter(({ path }) => path.endsWith("/manifests/v2"))
      assert.isTrue(byTag.every(({ method }) => method === "HEAD"))
      const writes = yield* writesTo(registries.target)
      assert.strictEqual(writes.indexOf("PUT /v2/contoso/web/manifests/v2"), writes.length - 1)
      assert.deepStrictEqual((yield* printed).slice(1), [
        "  sent      4 of 4 blobs, 4.4 KiB; the rest was there",
        "  verified  3 manifests and 4 blobs in the target",
        `  released  ${registries.target.loginServer}/contoso/web:v2`
      ])
    })
  )

  it.effect("does not send what is there", () =>
    Effect.gen(function* () {
      const registries = yield* twoRegistries
      const layers = ["a layer that both have"]
      const tested = yield* registries.source.seed({ ...image, tags: ["v2"], layers })
      yield* registries.target.seed({ repository: "contoso/web", tags: ["v1"], layers })
      yield* promote(registries, tested)
      // The configuration for linux/arm64; v1 has the other, and the layer.
      assert.strictEqual((yield* writesTo(registries.target)).filter(isUpload).length, 1)
      yield* registries.target.clearJournal
      yield* promote(registries, tested)
      assert.strictEqual((yield* writesTo(registries.target)).filter(isUpload).length, 0)
    })
  )

  it.effect("refuses a tag that has moved since the tests, before it asks the target for anything", () =>
    Effect.gen(function* () {
      const registries = yield* twoRegistries
      const tested = yield* registries.source.seed({ ...image, tags: ["v2"] })
      const found = yield* registries.source.seed({
        ...image,
        tags: ["v2"],
        layers: ["pushed in the meantime"],
        onTag: "overwrite"
      })
      const error = yield* Effect.flip(promote(registries, tested))
      assert.instanceOf(error, ReleaseMoved)
      assert.include(
        error.message,
        `${registries.source.loginServer}/contoso/web:v2 has moved: ${tested} was tested, ${found} is there now`
      )
      assert.deepStrictEqual(yield* registries.target.journal, [])
    })
  )

  it.effect.each<{ readonly what: string; readonly fault: Fault.Fault }>([
    {
      what: "takes two manifests of three",
      fault: {
        method: "PUT",
        path: "/v2/contoso/web/manifests/",
        skip: 2,
        consequence: { _tag: "Answer", status: 400 }
      }
    },
    {
      what: "gives back something else",
      fault: { method: "GET", path: "/v2/contoso/web/manifests/", consequence: { _tag: "CorruptBody", atByte: 10 } }
    }
  ])("leaves no tag in a target that $what", ({ fault }) =>
    Effect.gen(function* () {
      const registries = yield* twoRegistries
      const tested = yield* registries.source.seed({ ...image, tags: ["v2"] })
      yield* registries.target.inject(fault)
      yield* Effect.flip(promote(registries, tested))
      assert.deepStrictEqual(yield* tagsIn(registries.target, "contoso/web"), {})
    })
  )
})
