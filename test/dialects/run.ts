/**
 * The same work with every registry: push, pull, list, tag and delete.
 */
import { deepStrictEqual } from "node:assert/strict"
import { BlobSource, Credentials, Manifest, MediaType, RegistryContent, RetryPolicy } from "@effect-acr/client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import type { Dialect } from "./dialect.ts"
import { digestOf, login, play } from "./registry.ts"

/** More than one chunk of any registry that limits them. */
const layerBytes = 5 * 1024 * 1024

/** Without waits. */
const retry = { ...RetryPolicy.defaultPolicy, schedule: Schedule.recurs(5) }

/** What a step came to, in how many requests. */
export interface Outcome {
  readonly step: "push" | "pull" | "list" | "tag" | "delete"
  /** `ok`, or the reason of the error. */
  readonly came: string
  readonly requests: number
}

export interface Report {
  readonly dialect: Dialect
  readonly outcomes: ReadonlyArray<Outcome>
}

const layer = new Uint8Array(layerBytes).fill(7)
const config = new TextEncoder().encode("{}")
const image = (content: RegistryContent.Service, repository: string) =>
  Effect.gen(function* () {
    const pieces = Stream.make(layer.slice(0, 1000), layer.slice(1000))
    return Manifest.image({
      config: {
        ...(yield* content.uploadBlob(repository, BlobSource.fromBytes(config), {
          digest: digestOf(config),
          mountFrom: "contoso/other"
        })),
        mediaType: MediaType.ociEmpty
      },
      layers: [yield* content.uploadBlob(repository, BlobSource.fromStream(pieces), { chunkSize: "8 MiB" })]
    })
  })

/** Works with a registry, and tells what came of each step. */
export const run = (dialect: Dialect): Effect.Effect<Report> => {
  const { client, holdings, requests } = play(dialect)
  const { repository } = dialect
  const outcomes: Array<Outcome> = []

  const step = <E extends { readonly reason: { readonly _tag: string } }>(
    name: Outcome["step"],
    work: Effect.Effect<void, E>
  ) =>
    Effect.suspend(() => {
      const before = requests.length
      return Effect.map(
        Effect.match(work, { onSuccess: () => "ok", onFailure: ({ reason }) => reason._tag }),
        (came) => {
          outcomes.push({ step: name, came, requests: requests.length - before })
        }
      )
    })

  /** What a registry has that takes nothing. */
  const fill = () => {
    const manifest = new TextEncoder().encode(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MediaType.ociImageManifest,
        config: { mediaType: MediaType.ociEmpty, digest: digestOf(config), size: config.length },
        layers: [{ mediaType: MediaType.octetStream, digest: digestOf(layer), size: layer.length }]
      })
    )
    holdings.blobs.set(digestOf(config), config)
    holdings.blobs.set(digestOf(layer), layer)
    holdings.manifests.set(digestOf(manifest), { bytes: manifest, mediaType: MediaType.ociImageManifest })
    for (const tag of ["v1", "v2", "v3"]) holdings.tags.set(tag, digestOf(manifest))
  }

  return Effect.gen(function* () {
    const content = yield* RegistryContent.RegistryContent
    if (dialect.isReadOnly === true) fill()
    else {
      yield* step(
        "push",
        Effect.flatMap(image(content, repository), (made) =>
          Effect.asVoid(content.putManifest(repository, made, { tag: "v1", tags: ["v2", "v3"] }))
        )
      )
    }
    yield* step(
      "pull",
      Effect.gen(function* () {
        const { manifest } = yield* content.manifest(repository, "v1")
        for (const blob of Manifest.references(manifest).blobs) {
          deepStrictEqual(digestOf(yield* content.blobBytes(repository, blob)), String(blob.digest))
        }
      })
    )
    yield* step(
      "list",
      Effect.map(Stream.runCollect(content.tags(repository, { pageSize: 2 })), (tags) =>
        deepStrictEqual(tags.map(String), ["v1", "v2", "v3"])
      )
    )
    if (dialect.isReadOnly !== true) {
      yield* step(
        "tag",
        Effect.gen(function* () {
          yield* content.putManifest(repository, yield* content.manifest(repository, "v1"), { tag: "stable" })
          deepStrictEqual(holdings.tags.get("stable"), holdings.tags.get("v1"))
        })
      )
      yield* step("delete", Effect.asVoid(content.deleteManifest(repository, "v1")))
      deepStrictEqual(holdings.tags.size, dialect.deleteRefusedWith === undefined ? 0 : 4)
    }
    return { dialect, outcomes }
  }).pipe(
    Effect.provide(
      RegistryContent.layer({ endpoint: dialect.host, retry }).pipe(
        Layer.provide(Credentials.layerPassword({ username: login.username, password: Redacted.make(login.password) })),
        Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
      )
    ),
    Effect.orDie
  )
}
