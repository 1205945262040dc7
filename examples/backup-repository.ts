/**
 * Backs up a repository to a folder, and restores it under another name: all tags, with signatures and SBOMs.
 *
 * `REPOSITORY` names the repository, `RESTORED` the one that is made of the backup, and `FOLDER` the folder. Without `FOLDER` the
 * backup goes to a temporary folder. A second run into the same folder copies only what is new.
 */
import { type ContentStore, Copy, ImageLayout } from "@effect-acr/artifacts"
import { RegistryContent } from "@effect-acr/client"
import { Config, Console, Effect, FileSystem, Option, Stream } from "effect"
import { count, formatSize } from "./support/numbers.ts"
import { RegistryLive, run } from "./support/registry.ts"
import { repositoryOf } from "./support/repositories.ts"

/** Copies all tags. A layout writes its index once for all of them. */
const copyAll = <E1, E2>(from: ContentStore.Reader<E1>, to: ContentStore.ContentStore<E2>) =>
  from.tags.pipe(
    Stream.mapEffect((tag) => Copy.run(from, to, tag, { cosignTags: true })),
    Stream.runCollect,
    to.batch
  )

const describeCopies = (reports: ReadonlyArray<Copy.Report>): string => {
  const sent = reports.map((report) => Copy.totals(report).sent.bytes)
  return `${count(reports.length, "tag")}, ${formatSize(sent.reduce((sum, bytes) => sum + bytes, 0))} sent`
}

export const backupRepository = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const content = yield* RegistryContent.RegistryContent
  const name = yield* Config.String("REPOSITORY").pipe(Config.withDefault("contoso/web"))
  const restored = yield* Config.String("RESTORED").pipe(Config.withDefault(`restored/${name}`))
  const folder = yield* Option.match(yield* Config.option(Config.String("FOLDER")), {
    onNone: () => files.makeTempDirectoryScoped({ prefix: "backup-" }),
    onSome: Effect.succeed
  })
  const layout = yield* ImageLayout.open(folder)

  const repository = yield* repositoryOf(content, name)
  yield* Console.log(`backed up ${name}: ${describeCopies(yield* copyAll(repository, layout))}`)

  const target = yield* repositoryOf(content, restored)
  yield* Console.log(`restored  ${restored}: ${describeCopies(yield* copyAll(layout, target))}`)
}).pipe(Effect.scoped)

if (import.meta.main) run(backupRepository, RegistryLive)
