/**
 * Two registries in memory that answer all requests of a while together, at its end. The target knows what it has by a bit for each image and blob.
 */
import * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import * as Reference from "@effect-acr/client/Reference"
import * as Registries from "@effect-acr/client/Registries"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import { NotFound, RegistryError } from "@effect-acr/client/RegistryError"
import * as RepositoryName from "@effect-acr/client/RepositoryName"
import * as RetryPolicy from "@effect-acr/client/RetryPolicy"
import * as Tag from "@effect-acr/client/Tag"
import * as Transport from "@effect-acr/client/Transport"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Images from "./images.ts"

export const source = "source.example"

export const target = "target.example"

const pageSize = 999

const attributes = { canDelete: true, canWrite: true, canRead: true, canList: true }

const nameOf = (repository: number): RepositoryName.RepositoryName =>
  RepositoryName.RepositoryName.make(`shop/service-${repository}`)

const numberOf = (name: string): number => Number(name.slice(name.lastIndexOf("-") + 1))

const digestOf = (tagOrDigest: string): string =>
  tagOrDigest.startsWith("v1.") ? Images.digestOf("manifest", Number(tagOrDigest.slice(3))) : tagOrDigest

const absent = new RegistryError({
  operation: "simulation",
  reason: new NotFound({ resource: "manifest", description: "the simulation does not have it" })
})

const record = (name: string, number: number) => {
  const time = DateTime.makeUnsafe(1_700_000_000_000 + number * 60_000)
  return {
    registryLoginServer: source,
    raw: {},
    repositoryName: RepositoryName.RepositoryName.make(name),
    createdOn: time,
    lastUpdatedOn: time,
    ...attributes
  }
}

/** Registries with so many images, of which each repository has `perRepository`. `requests` counts what they were asked. */
export const make = (images: number, latencyMillis: number, perRepository: number) => {
  const repositories = Math.ceil(images / perRepository)
  /** What the target has: manifests and configurations and layers of images, and blobs of repositories. */
  const has = {
    manifest: new Uint8Array(images),
    config: new Uint8Array(images),
    layer: new Uint8Array(images),
    shared: new Uint8Array(repositories),
    base: new Uint8Array(repositories)
  }
  const count = { requests: 0, sent: 0, mounted: 0 }
  let waiting: Array<() => void> = []
  const answerAll = () => {
    const all = waiting
    waiting = []
    for (const answer of all) answer()
  }
  /** Waits for the next answers. A timer for each request would take longer than all that is measured. */
  const wait = Effect.suspend(() => {
    count.requests++
    if (latencyMillis === 0) return Effect.void
    return Effect.callback<void>((resume) => {
      waiting.push(() => resume(Effect.void))
      if (waiting.length === 1) setTimeout(answerAll, latencyMillis)
    })
  })

  const numbersIn = (repository: number) =>
    Array.from(
      { length: Math.min(perRepository, images - repository * perRepository) },
      (_, index) => repository * perRepository + index
    )

  /** The numbers of the images that a repository shows, by pages. */
  const pages = (isTarget: boolean, name: string): Stream.Stream<number> => {
    const all = numbersIn(numberOf(name)).filter((number) => !isTarget || has.manifest[number] === 1)
    return Stream.paginate(0, (from) =>
      Effect.as(wait, [
        all.slice(from, from + pageSize),
        from + pageSize < all.length ? Option.some(from + pageSize) : Option.none()
      ] as const)
    )
  }

  const registryOf = (loginServer: string, isTarget: boolean) => {
    const mock = ContainerRegistry.ContainerRegistry
    const manage = Layer.mock(mock, {
      endpoint: `https://${loginServer}`,
      loginServer,
      tags: (name) =>
        Stream.map(pages(isTarget, name), (number) => ({
          ...record(name, number),
          name: Images.tagOf(number),
          digest: Images.digestOf("manifest", number)
        })),
      manifests: (name) =>
        Stream.map(pages(isTarget, name), (number) => ({
          ...record(name, number),
          digest: Images.digestOf("manifest", number),
          sizeInBytes: 75_003_000,
          tags: [Images.tagOf(number)],
          relatedArtifacts: []
        }))
    })
    const isThere = (digest: string): boolean => !isTarget || has.manifest[Images.parse(digest).number] === 1
    const raw = (name: string, tagOrDigest: string) =>
      Effect.flatMap(wait, () => {
        const digest = digestOf(tagOrDigest)
        return isThere(digest)
          ? Effect.succeed(Images.manifestOf(Images.parse(digest).number, numberOf(name)))
          : Effect.fail(absent)
      })
    const contents = Layer.mock(RegistryContent.RegistryContent, {
      endpoint: `https://${loginServer}`,
      loginServer,
      repositories: () => Stream.map(Stream.range(0, repositories - 1), nameOf),
      resolve: (name, tagOrDigest) => Effect.map(raw(name, tagOrDigest), ({ descriptor }) => descriptor),
      rawManifest: raw,
      referrers: () => Stream.unwrap(Effect.as(wait, Stream.empty)),
      blobSource: () => ({ sizeBytes: Effect.undefined, read: () => Stream.empty, repeatable: true }),
      putBlob: (name, { digest }, _, { mountFrom } = {}) =>
        Effect.map(wait, () => {
          const { kind = "layer", number } = Images.parse(digest)
          const own = kind === "base" || kind === "shared" ? numberOf(name) : number
          if (has[kind][own] === 1) return "present"
          has[kind][own] = 1
          const isMounted = mountFrom !== undefined && has[kind][numberOf(mountFrom)] === 1
          count[isMounted ? "mounted" : "sent"]++
          return isMounted ? "mounted" : "sent"
        }),
      putManifest: (_, manifest) =>
        Effect.flatMap(wait, () => {
          if (typeof manifest === "string" || !("descriptor" in manifest)) return Effect.die("not a manifest as it is")
          has.manifest[Images.parse(manifest.descriptor.digest).number] = 1
          return Effect.succeed({ descriptor: manifest.descriptor, listedBy: Option.none() })
        })
    })
    return Layer.mergeAll(
      manage,
      contents,
      Layer.mock(Transport.Transport, {
        endpoint: `https://${loginServer}`,
        loginServer,
        retry: RetryPolicy.defaultPolicy
      })
    )
  }

  const layer = Layer.effect(
    Registries.Registries,
    Effect.gen(function* () {
      const services = {
        [source]: yield* Layer.build(registryOf(source, false)),
        [target]: yield* Layer.build(registryOf(target, true))
      }
      return Registries.Registries.of({
        layerFor: () => Layer.effectContext(Effect.die("the simulation opens references")),
        open: (text) =>
          Effect.gen(function* () {
            const reference =
              typeof text === "string" ? yield* Effect.orDie(Effect.fromResult(Reference.parse(text))) : text
            const own = services[reference.registry === source ? source : target]
            return {
              reference,
              repository: reference.repository,
              tagOrDigest: Tag.Tag.make("latest"),
              content: Context.get(own, RegistryContent.RegistryContent),
              registry: Context.get(own, ContainerRegistry.ContainerRegistry),
              transport: Context.get(own, Transport.Transport)
            }
          })
      })
    })
  )
  return { layer, count, repositories: Array.from({ length: repositories }, (_, index) => nameOf(index)), numbersIn }
}
