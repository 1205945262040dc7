/**
 * Uploads something that is no image: a report with media types of its own, and an empty configuration.
 */
import { Annotations, BlobSource, Manifest, MediaType, RegistryContent } from "@effect-acr/client"
import { Config, Console, Effect } from "effect"
import { RegistryLive, run } from "./support/registry.ts"

const reportType = MediaType.MediaType.make("application/vnd.contoso.report.v1")
const tableType = MediaType.MediaType.make("text/csv")

export const uploadArtifact = Effect.gen(function* () {
  const content = yield* RegistryContent.RegistryContent
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("samples/reports"))

  const table = yield* content.uploadBlob(repository, BlobSource.fromString("day,pulls\nmonday,17\ntuesday,23\n"), {
    mediaType: tableType
  })
  const empty = yield* content.uploadBlob(repository, BlobSource.fromString("{}"), { mediaType: MediaType.ociEmpty })
  const report = Manifest.image({
    artifactType: reportType,
    config: empty,
    layers: [{ ...table, annotations: { [Annotations.title]: "pulls.csv" } }],
    annotations: { [Annotations.description]: "Pulls by day" }
  })
  const { descriptor } = yield* content.putManifest(repository, report, { tags: ["2026-11", "latest"] })

  const { manifest } = yield* content.manifest(repository, descriptor.digest)
  if (manifest._tag !== "ImageManifest") return
  yield* Console.log(
    `${repository}:latest is of type ${manifest.artifactType}: ${manifest.annotations?.[Annotations.description]}`
  )
  for (const layer of manifest.layers) {
    const bytes = yield* content.blobBytes(repository, layer)
    yield* Console.log(`${layer.annotations?.[Annotations.title]}, ${layer.mediaType}:`)
    yield* Console.log(new TextDecoder().decode(bytes).trimEnd())
  }
})

if (import.meta.main) run(uploadArtifact, RegistryLive)
