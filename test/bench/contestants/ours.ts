/**
 * This library.
 */
import { readFileSync } from "node:fs"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as ImageArchive from "@effect-acr/artifacts/ImageArchive"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as Repository from "@effect-acr/artifacts/Repository"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import * as Credentials from "@effect-acr/client/Credentials"
import { Digest } from "@effect-acr/client/Digest"
import * as Reference from "@effect-acr/client/Reference"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import { NodeCompression, NodeHasher, NodeRegistryHttpClient } from "@effect-acr/node"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import { contentOf } from "../content.ts"
import { blobFile, blobsOf, manifestFile, manifestType } from "../image.ts"
import { type ArchiveJob, compete, expectCount, type JobOf, type RegistryJob, warmUpReads, type Work } from "../job.ts"

const clientFor = ({ ca, endpoint }: RegistryJob) =>
  Layer.mergeAll(ContainerRegistry.layer({ endpoint }), RegistryContent.layer({ endpoint })).pipe(
    Layer.provide(Credentials.layerAnonymous),
    Layer.provide(NodeRegistryHttpClient.layerOptions(ca === undefined ? {} : { ca: readFileSync(ca, "utf8") })),
    Layer.merge(NodeFileSystem.layer)
  )

const blobOf = ({ digest, size }: { readonly digest: string; readonly size: number }) => ({
  digest: Digest.make(digest),
  size
})

/** Counts a list, page by page as it comes. */
const count = <A, E, R>(items: Stream.Stream<A, E, R>, expected: number): Effect.Effect<void, E, R> =>
  Effect.suspend(() => {
    let seen = 0
    return Stream.runForEachArray(items, (page) =>
      Effect.sync(() => {
        seen += page.length
      })
    ).pipe(Effect.andThen(Effect.sync(() => expectCount(seen, expected))))
  })

const push = Effect.fnUntraced(function* ({ folder, repository, tag, width }: JobOf<"Push">) {
  const content = yield* RegistryContent.RegistryContent
  const files = yield* FileSystem.FileSystem
  const manifest = yield* files.readFile(manifestFile(folder))
  yield* Effect.forEach(
    blobsOf(new TextDecoder().decode(manifest)),
    ({ digest }) => content.uploadBlob(repository, BlobSource.fromFile(blobFile(folder, digest))),
    { concurrency: width, discard: true }
  )
  yield* content.putManifest(repository, manifest, { mediaType: manifestType, tag })
})

const pull = Effect.fnUntraced(function* ({ folder, repository, tag, width }: JobOf<"Pull">) {
  const content = yield* RegistryContent.RegistryContent
  const files = yield* FileSystem.FileSystem
  const { bytes, manifest } = yield* content.manifest(repository, tag)
  if (manifest._tag !== "ImageManifest") return yield* Effect.die("this is no image")
  yield* Effect.forEach(
    [...manifest.layers, manifest.config],
    (blob) => content.downloadBlob(repository, blob, blobFile(folder, blob.digest)),
    { concurrency: width, discard: true }
  )
  yield* files.writeFile(manifestFile(folder), bytes)
})

const reads = (content: RegistryContent.Service, job: JobOf<"ReadManifests">, times: number) =>
  Effect.forEach(Array.from({ length: times }), () => content.manifest(job.repository, job.tag), {
    concurrency: job.width,
    discard: true
  })

/** A repository as a store, by a client of its own. */
const storeOf = ({ ca, endpoint, repository }: JobOf<"Copy">["target"]) =>
  Effect.gen(function* () {
    const services = yield* Layer.build(
      RegistryContent.layer({ endpoint }).pipe(
        Layer.provide(Credentials.layerAnonymous),
        Layer.provide(NodeRegistryHttpClient.layerOptions(ca === undefined ? {} : { ca: readFileSync(ca, "utf8") }))
      )
    )
    const content = Context.get(services, RegistryContent.RegistryContent)
    const reference = yield* Effect.fromResult(Reference.parse(`${content.loginServer}/${repository}`))
    return Repository.make(content, reference)
  })

const copy = (job: JobOf<"Copy">) =>
  Effect.gen(function* () {
    const { tag, target, width } = job
    // The bare loop and the other programs do not look for referrers.
    const options: Copy.Options = { concurrency: width, referrers: false }
    return yield* Copy.run(yield* storeOf(job), yield* storeOf(target), tag, options)
  }).pipe(Effect.scoped)

type Services = Layer.Success<ReturnType<typeof clientFor>>

/** The work, as a description. What is made here is made before the clock runs. */
const workOf = (
  job: RegistryJob,
  content: RegistryContent.Service,
  registry: ContainerRegistry.Service
): Effect.Effect<unknown, unknown, Services> => {
  switch (job._tag) {
    case "Download":
      return Stream.runDrain(content.blob(job.repository, blobOf(job)))
    case "DownloadFile":
      return content.downloadBlob(job.repository, blobOf(job), job.path)
    case "Upload":
      return content.uploadBlob(job.repository, BlobSource.fromBytes(contentOf(job.size)))
    case "UploadFile":
      return content.uploadBlob(job.repository, BlobSource.fromFile(job.path))
    case "Push":
      return push(job)
    case "Pull":
      return pull(job)
    case "Copy":
      return copy(job)
    case "ListTags":
      return count(registry.tags(job.repository), job.count)
    case "ListManifests":
      return count(registry.manifests(job.repository), job.count)
    case "ReadManifests":
      return reads(content, job, job.count)
  }
}

/** Archives are files, and ask no registry. */
const prepareArchive = (job: ArchiveJob): Work => {
  const runtime = ManagedRuntime.make(Layer.mergeAll(NodeServices.layer, NodeHasher.layer, NodeCompression.layer))
  const work = Effect.gen(function* () {
    const layout = yield* ImageLayout.open(job.layout)
    if (job._tag === "SaveArchive") return yield* ImageArchive.save(layout, "v1", job.archive)
    return yield* Copy.run(yield* ImageArchive.read(job.archive), layout, "v1")
  }).pipe(Effect.scoped)
  return () => runtime.runPromise(work)
}

await compete(async (job): Promise<Work> => {
  const runtime = ManagedRuntime.make(clientFor(job))
  const content = await runtime.runPromise(RegistryContent.RegistryContent)
  const registry = await runtime.runPromise(ContainerRegistry.ContainerRegistry)
  const work = workOf(job, content, registry)
  if (job._tag === "ReadManifests") await runtime.runPromise(reads(content, job, warmUpReads))
  return () => runtime.runPromise(work)
}, prepareArchive)
