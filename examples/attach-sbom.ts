/**
 * Attaches an SBOM to an image, finds it, and shows it. `REPOSITORY` and `TAG` name the image, and `FILE` is an SBOM in SPDX format.
 * Without `FILE` it is a short one.
 */
import { Artifact } from "@effect-acr/artifacts"
import { RegistryContent } from "@effect-acr/client"
import { Config, Console, Effect, FileSystem, Option, Stream } from "effect"
import { RegistryLive, run } from "./support/registry.ts"
import { nameIn, repositoryOf } from "./support/repositories.ts"

const spdx = "application/spdx+json"

/** An SBOM of nothing, which is gone with the scope. */
const shortSbom = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const file = yield* files.makeTempFileScoped({ suffix: ".spdx.json" })
  yield* files.writeFileString(file, JSON.stringify({ spdxVersion: "SPDX-2.3", name: "contoso/web", packages: [] }))
  return file
})

export const attachSbom = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("contoso/web"))
  const tag = yield* Config.String("TAG").pipe(Config.withDefault("latest"))
  const file = yield* Option.match(yield* Config.option(Config.String("FILE")), {
    onNone: () => shortSbom,
    onSome: Effect.succeed
  })
  const store = yield* repositoryOf(yield* RegistryContent.RegistryContent, repository)

  const { isNew, subject } = yield* Artifact.attach(store, tag, {
    artifactType: spdx,
    files: [{ path: file, title: "sbom.spdx.json", mediaType: spdx }]
  })
  yield* Console.log(`${isNew ? "attached" : "was attached already"} to ${nameIn(store, tag)}: ${subject.digest}`)

  const sboms = yield* Stream.runCollect(store.referrers(subject.digest, { artifactType: spdx }))
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "sbom-" })
  for (const { digest } of sboms) {
    const pulled = yield* Artifact.pull(store, digest, folder)
    for (const { path } of pulled.files) yield* Console.log(yield* files.readFileString(path))
  }
}).pipe(Effect.scoped)

if (import.meta.main) run(attachSbom, RegistryLive)
