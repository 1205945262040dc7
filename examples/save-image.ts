/**
 * Saves an image as an archive for `docker load`. `REPOSITORY`, `TAG` and `PLATFORM` name it, and `FILE` is the archive. Without
 * `FILE` it goes to a temporary file.
 */
import { ImageArchive } from "@effect-acr/artifacts"
import { RegistryContent } from "@effect-acr/client"
import { Config, Console, Effect, FileSystem, Option, Stream } from "effect"
import { formatSize } from "./support/numbers.ts"
import { RegistryLive, run } from "./support/registry.ts"
import { nameIn, repositoryOf } from "./support/repositories.ts"

export const saveImage = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("contoso/web"))
  const tag = yield* Config.String("TAG").pipe(Config.withDefault("latest"))
  const platform = yield* Config.String("PLATFORM").pipe(Config.withDefault("linux/amd64"))
  const file = yield* Option.match(yield* Config.option(Config.String("FILE")), {
    onNone: () => files.makeTempFileScoped({ suffix: ".tar" }),
    onSome: Effect.succeed
  })
  const store = yield* repositoryOf(yield* RegistryContent.RegistryContent, repository)

  yield* ImageArchive.save(store, tag, file, { format: "docker", platform })
  const { size } = yield* files.stat(file)
  yield* Console.log(`saved ${nameIn(store, tag)} for ${platform}: ${formatSize(Number(size))}`)

  const archive = yield* ImageArchive.read(file)
  yield* Console.log(`docker load gives it the tags ${(yield* Stream.runCollect(archive.tags)).join(", ")}`)
}).pipe(Effect.scoped)

if (import.meta.main) run(saveImage, RegistryLive)
