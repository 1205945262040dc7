/**
 * Two registries that references name, over sockets: which login reaches which, and the program of docs/credentials.md.
 */
import { join } from "node:path"
import {
  BlobSource,
  Credentials,
  ImageConfig,
  Manifest,
  MediaType,
  Registries,
  type RegistryError
} from "@effect-acr/client"
import type { AcrEmulator } from "@effect-acr/emulator"
import { DockerConfig, NodeRegistryHttpClient } from "@effect-acr/node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { dockerConfig, pair, type Pair, programWith, runProgram } from "./support/pagePrograms.ts"

/** The registries of a pair, which speak http. */
const live = <E>(registries: Pair, credentials: Layer.Layer<Credentials.Credentials, E>) =>
  Registries.layerOptions({
    registries: Object.fromEntries(registries.map(({ endpoint, loginServer }) => [loginServer, { endpoint }]))
  }).pipe(Layer.provide([credentials, NodeRegistryHttpClient.layer]))

const resolve = (reference: string) =>
  Effect.flatMap(Registries.open(reference), ({ content, repository, tagOrDigest }) =>
    content.resolve(repository, tagOrDigest)
  )

/** How each request to a registry was authorized. */
const authorizations = ({ journal }: AcrEmulator.Service) =>
  Effect.map(journal, (entries) => entries.map(({ authorization }) => authorization))

const reasonOf = (result: Result.Result<unknown, RegistryError.RegistryError>) =>
  Result.isFailure(result) ? result.failure.reason._tag : "none"

describe("two registries", () => {
  it.live("each get their own login of docker", () =>
    Effect.gen(function* () {
      const registries = yield* pair()
      const path = join(yield* dockerConfig(registries), "config.json")
      yield* Effect.forEach(registries, ({ reference }) => resolve(reference)).pipe(
        Effect.provide(live(registries, DockerConfig.layerOptions({ path })))
      )
      for (const registry of registries) {
        // The other's password would have been refused.
        const statuses = (yield* registry.journal).filter(({ authorization }) => authorization === "basic")
        assert.deepStrictEqual(
          statuses.map(({ status }) => status),
          [200]
        )
      }
    }).pipe(Effect.scoped)
  )

  it.live("never get a password that is for one of them", () =>
    Effect.gen(function* () {
      const registries = yield* pair()
      const [first, second] = registries
      if (first === undefined || second === undefined) return assert.fail("no registries")
      const credentials = Credentials.layerPassword(first.login).pipe(Credentials.onlyFor([first.loginServer]))
      const outcomes = yield* Effect.forEach([first, second], ({ reference }) =>
        Effect.result(resolve(reference))
      ).pipe(Effect.provide(live(registries, credentials)))
      assert.deepStrictEqual(outcomes.map(reasonOf), ["none", "CredentialUnavailable"])
      assert.include(yield* authorizations(first), "basic")
      assert.deepStrictEqual(yield* authorizations(second), ["none"])
    }).pipe(Effect.scoped)
  )

  it.live("never get a password that is for no registry in particular", () =>
    Effect.gen(function* () {
      const registries = yield* pair({ anonymousPull: true })
      const shared = registries.slice(0, 1).map(({ login }) => Credentials.layerPassword(login))
      for (const credentials of shared) {
        const failure = yield* Effect.flip(
          Effect.forEach(registries, ({ reference }) => resolve(reference)).pipe(
            Effect.provide(live(registries, credentials))
          )
        )
        assert.strictEqual(failure.reason._tag, "InvalidRequest")
      }
      for (const registry of registries) assert.deepStrictEqual(yield* authorizations(registry), [])
    }).pipe(Effect.scoped)
  )
})

describe("an image", () => {
  it.live("is that of the digest, or else of the tag, or else of latest", () =>
    Effect.gen(function* () {
      const registries = yield* pair({ anonymousPull: true })
      yield* Effect.gen(function* () {
        for (const { loginServer, name, seed } of registries) {
          const image = { repository: "samples/tags", platforms: ["linux/arm64"] }
          const digest = yield* seed({ ...image, tags: ["latest"], layers: [`latest ${name}`] })
          const other = yield* seed({ ...image, tags: ["1.0"], layers: [`1.0 ${name}`] })
          const reference = `${loginServer}/samples/tags`
          for (const [named, expected] of [
            [reference, digest],
            [`${reference}:1.0`, other],
            [`${reference}:1.0@${digest}`, digest]
          ] as const) {
            const { config, descriptor } = yield* Registries.image(named, { platform: "linux/arm64" })
            assert.strictEqual(descriptor.digest, expected)
            assert.strictEqual(config.architecture, "arm64")
          }
          const { reason } = yield* Effect.flip(Registries.image(reference, { platform: "linux/s390x" }))
          assert.strictEqual(reason._tag, "NotFound")
        }
      }).pipe(Effect.provide(live(registries, Credentials.layerAnonymous)))
    }).pipe(Effect.scoped)
  )
})

/** Pushes an index with an image for each platform, which have other labels and other sizes. */
const pushLabelled = (reference: string, name: string) =>
  Effect.gen(function* () {
    const { content, repository, tagOrDigest } = yield* Registries.open(reference)
    const manifests = yield* Effect.forEach(["amd64", "arm64"], (architecture) =>
      Effect.gen(function* () {
        const config = yield* content.uploadBlob(
          repository,
          BlobSource.fromString(
            ImageConfig.format({
              os: "linux",
              architecture,
              config: { Labels: { registry: name, architecture } },
              rootfs: { type: "layers", diff_ids: [] },
              history: []
            })
          ),
          { mediaType: MediaType.ociImageConfig }
        )
        const layer = yield* content.uploadBlob(
          repository,
          BlobSource.fromString(`the layer for ${architecture} in the ${name} registry`),
          { mediaType: MediaType.ociImageLayer }
        )
        const { descriptor: image } = yield* content.putManifest(
          repository,
          Manifest.image({ config, layers: [layer] })
        )
        return {
          descriptor: { ...image, platform: { os: "linux", architecture } },
          size: config.size + layer.size
        }
      })
    )
    const index = Manifest.index({ manifests: manifests.map(({ descriptor }) => descriptor) })
    yield* content.putManifest(repository, index, { tag: tagOrDigest })
    return manifests.map(({ size }) => size)
  })

describe("the program for several registries in docs/credentials.md", () => {
  it.live("prints the labels and the size of an image in each of two registries, in ten lines", () =>
    Effect.gen(function* () {
      const code = yield* programWith("docs/credentials.md", "Registries.image", 10)
      const lines = code.split("\n").filter((line) => line.trim() !== "")
      assert.isTrue(lines.length > 0 && lines.length <= 10, `${lines.length} lines`)

      const registries = yield* pair()
      const path = join(yield* dockerConfig(registries), "config.json")
      const sizes = yield* Effect.forEach(registries, ({ name, reference }) => pushLabelled(reference, name)).pipe(
        Effect.provide(live(registries, DockerConfig.layerOptions({ path })))
      )
      const printed = yield* runProgram(
        code,
        registries,
        registries.map(({ reference }) => reference)
      )
      const [first, second] = sizes.map((ofPlatforms) => ofPlatforms[1])
      assert.strictEqual(
        printed,
        [
          `{ registry: 'first', architecture: 'arm64' } ${first}\n`,
          `{ registry: 'second', architecture: 'arm64' } ${second}\n`
        ].join("")
      )
    }).pipe(Effect.scoped)
  )
})
