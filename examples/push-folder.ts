/**
 * Pushes a folder as an artifact, and pulls it into another. `REPOSITORY` and `TAG` name the artifact, `FOLDER` is what to push.
 * Without `FOLDER` it is a folder with a page.
 */
import { Artifact } from "@effect-acr/artifacts"
import { RegistryContent } from "@effect-acr/client"
import { Config, Console, Effect, FileSystem, Option, Path } from "effect"
import { RegistryLive, run } from "./support/registry.ts"
import { nameIn, repositoryOf } from "./support/repositories.ts"

/** A folder with a page, which is gone with the scope. */
const website = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "site-" })
  yield* files.writeFileString(path.join(folder, "index.html"), "<h1>Contoso</h1>\n")
  return folder
})

export const pushFolder = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("samples/site"))
  const tag = yield* Config.String("TAG").pipe(Config.withDefault("v1"))
  const folder = yield* Option.match(yield* Config.option(Config.String("FOLDER")), {
    onNone: () => website,
    onSome: Effect.succeed
  })
  const store = yield* repositoryOf(yield* RegistryContent.RegistryContent, repository)

  const { descriptor } = yield* Artifact.push(store, tag, {
    artifactType: "application/vnd.contoso.site",
    files: [{ path: folder, title: "site" }]
  })
  yield* Console.log(`pushed ${nameIn(store, tag)}: ${descriptor.digest}`)

  const target = yield* files.makeTempDirectoryScoped({ prefix: "pulled-" })
  const pulled = yield* Artifact.pull(store, tag, target)
  for (const { path, title } of pulled.files) {
    yield* Console.log(`pulled ${title}: ${(yield* files.readDirectory(path)).join(", ")}`)
  }
}).pipe(Effect.scoped)

if (import.meta.main) run(pushFolder, RegistryLive)
