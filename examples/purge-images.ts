/**
 * Deletes images that are older than one needs: a script with typed arguments. `--help` says which.
 *
 *     npx -y pnpm@12 example purge-images contoso/api --ago "2 weeks" --keep 2 --dry-run
 *
 * On a registry of your own it only tells what it would delete, unless `--no-dry-run`.
 */
import { ChangeableAttributes, ContainerRegistry, type ManifestProperties, RepositoryName } from "@effect-acr/client"
import { Console, DateTime, Duration, Effect, Option, Schema, Stream } from "effect"
import { Argument, CliError, Command, Flag } from "effect/cli"
import { isOwnRegistry, RegistryLive, run } from "./support/registry.ts"

const ageFrom = (text: string): Option.Option<Duration.Duration> =>
  Schema.decodeOption(Schema.DurationFromString)(text).pipe(Option.filter((age) => !Duration.isNegative(age)))

const parameters = {
  repositories: Argument.String("repository").pipe(
    Argument.withDescription("The repositories to look at; all of them if none is named"),
    Argument.withSchema(RepositoryName.RepositoryName),
    Argument.variadic()
  ),
  ago: Flag.String("ago").pipe(
    Flag.withDescription("Delete what was pushed longer ago; 30 days if not given"),
    Flag.withMetavar("duration"),
    Flag.withDefault("30 days"),
    Flag.filterMap(ageFrom, () => 'an age such as "36 hours" or "2 weeks"')
  ),
  keep: Flag.Int("keep").pipe(
    Flag.withDescription("How many images of each repository stay, the newest, however old they are; 3 if not given"),
    Flag.withDefault(3),
    Flag.withSchema(Schema.Natural)
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Only tell what would be deleted; on a registry of your own it is so unless --no-dry-run"),
    Flag.withDefault(Effect.orDie(isOwnRegistry))
  )
}

type Image = ManifestProperties.ManifestProperties

const say = (what: string, { repositoryName, tags }: Image) =>
  Console.log(`${what} ${tags.map((tag) => `${repositoryName}:${tag}`).join(", ")}`)

/** The images of a repository that were pushed before a time, but for the newest. */
const oldImages = Effect.fnUntraced(function* (
  repository: string,
  { before, keep }: { readonly before: DateTime.DateTime; readonly keep: number }
) {
  const registry = yield* ContainerRegistry.ContainerRegistry
  return yield* registry.manifests(repository, { orderBy: "newest" }).pipe(
    // The images inside a multi-platform image have no tags of their own, and are needed by it.
    Stream.filter(({ tags }) => tags.length > 0),
    Stream.drop(keep),
    Stream.filter(({ lastUpdatedOn }) => DateTime.isLessThan(lastUpdatedOn, before)),
    // The whole list before the first deletion: pages shift when what they list goes away.
    Stream.runCollect
  )
})

const purgeImage = Effect.fnUntraced(
  function* (image: Image, dryRun: boolean) {
    const registry = yield* ContainerRegistry.ContainerRegistry
    if (!ChangeableAttributes.isDeletable(image)) return yield* say("locked, so it stays:", image)
    if (!dryRun) yield* registry.deleteManifest(image.repositoryName, image.digest)
    yield* say(dryRun ? "would delete" : "deleted", image)
  },
  // One of its tags may be locked without it.
  (purging, image) => Effect.catchReason(purging, "RegistryError", "Locked", () => say("locked, so it stays:", image))
)

const command = Command.make(
  "purge-images",
  parameters,
  Effect.fnUntraced(
    function* ({ ago, dryRun, keep, repositories }) {
      const registry = yield* ContainerRegistry.ContainerRegistry
      const before = DateTime.subtractDuration(yield* DateTime.now, ago)
      const named = repositories.length === 0 ? registry.repositories() : Stream.fromIterable(repositories)
      yield* named.pipe(
        Stream.mapEffect((repository) => oldImages(repository, { before, keep }), { concurrency: 4 }),
        Stream.flattenIterable,
        Stream.mapEffect((image) => purgeImage(image, dryRun), { concurrency: 8 }),
        Stream.runDrain
      )
    },
    Effect.mapError((cause) => new CliError.UserError({ cause }))
  )
).pipe(
  Command.withDescription("Deletes images that are older than one needs"),
  Command.withExamples([
    { command: "purge-images --dry-run", description: "Tell what would go, in all repositories" },
    {
      command: 'purge-images contoso/api --ago "2 weeks" --keep 2',
      description: "Two images stay, and what is younger"
    }
  ])
)

export const purgeImages = Command.run(command, { version: "0.1.0" })

if (import.meta.main) run(purgeImages, RegistryLive)
