/**
 * Preview images: those that a pipeline pushes for each pull request, tagged `pr-17`. They go when it is closed.
 */
import { ContainerRegistry, type ManifestProperties, type RegistryError, type Tag } from "@effect-acr/client"
import { Context, DateTime, Duration, Effect, Layer, Option, Stream } from "effect"
import { PullRequests, type PullRequestsUnavailable } from "./PullRequests.ts"

/** What became of an image. */
export interface Outcome {
  readonly tags: ReadonlyArray<Tag.Tag>
  readonly became: "deleted" | "untagged" | "locked"
}

export class Previews extends Context.Service<
  Previews,
  {
    /** Deletes what is left of pull requests that were closed, and tells it. */
    readonly sweep: (
      repository: string
    ) => Stream.Stream<Outcome, RegistryError.RegistryError | PullRequestsUnavailable>
  }
>()("preview-cleaner/Previews") {}

const pullRequestOf = (tag: Tag.Tag): number | undefined => {
  const number = /^pr-(\d+)$/.exec(tag)?.[1]
  return number === undefined ? undefined : Number(number)
}

/** Closed pull requests are opened again at times: their images stay for so long. */
const grace = Duration.days(1)

export const layer = Layer.effect(
  Previews,
  Effect.gen(function* () {
    const registry = yield* ContainerRegistry.ContainerRegistry
    const pullRequests = yield* PullRequests

    const isOver = Effect.fnUntraced(function* (tag: Tag.Tag) {
      const number = pullRequestOf(tag)
      if (number === undefined) return false
      const closedAt = yield* pullRequests.closedAt(number)
      const now = yield* DateTime.now
      return Option.exists(closedAt, (at) => DateTime.isLessThan(DateTime.addDuration(at, grace), now))
    })

    /** An image that has other names too, a release for example, loses but the name of the preview. */
    const remove = (
      repository: string,
      { digest, tags }: ManifestProperties.ManifestProperties,
      over: Outcome["tags"]
    ) =>
      over.length === tags.length
        ? Effect.as(registry.deleteManifest(repository, digest), "deleted" as const)
        : Effect.as(
            Effect.forEach(over, (tag) => registry.deleteTag(repository, tag)),
            "untagged" as const
          )

    const clean = Effect.fnUntraced(function* (repository: string, image: ManifestProperties.ManifestProperties) {
      const over = yield* Effect.filter(image.tags, isOver)
      if (over.length === 0) return []
      const became = yield* remove(repository, image, over).pipe(
        Effect.catchReason("RegistryError", "Locked", () => Effect.succeed("locked" as const))
      )
      return [{ tags: over, became }]
    })

    return {
      sweep: (repository) =>
        registry.manifests(repository).pipe(
          // First the whole list, then the deletions: pages shift when what they list goes away.
          Stream.runCollect,
          Effect.map((images) =>
            Stream.fromIterable(images).pipe(
              Stream.mapEffect((image) => clean(repository, image), { concurrency: 4 }),
              Stream.flatMap(Stream.fromIterable)
            )
          ),
          Stream.unwrap
        )
    }
  })
)
