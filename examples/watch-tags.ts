/**
 * Watches a repository, and shows each tag that is new or has moved.
 *
 * On a registry of your own it looks every half a minute until it is stopped; on the emulator a push comes between
 * two looks, and it ends with that.
 */
import {
  ContainerRegistry,
  type Digest,
  RegistryContent,
  type RegistryError,
  type Tag,
  type TagProperties
} from "@effect-acr/client"
import { Config, Console, DateTime, Effect, Option, Ref, Schedule, Stream } from "effect"
import { isOwnRegistry, RegistryLive, run } from "./support/registry.ts"

/** A tag that is new, or names something else than before. */
export interface TagChange {
  readonly tag: TagProperties.TagProperties
  readonly before: Option.Option<Digest.Digest>
}

/** What the last look has found. */
interface Seen {
  readonly digests: ReadonlyMap<Tag.Tag, Digest.Digest>
  readonly newestMillis: number
}

const nothingSeen: Seen = { digests: new Map(), newestMillis: Number.NEGATIVE_INFINITY }

const millisOf = ({ lastUpdatedOn }: TagProperties.TagProperties) => DateTime.toEpochMillis(lastUpdatedOn)

/** Whether the next look may succeed. */
const isPassing = ({ isRetryable, message }: RegistryError.RegistryError) =>
  isRetryable ? Effect.as(Effect.logWarning(`looking again later: ${message}`), true) : Effect.succeed(false)

/**
 * The changes of a repository's tags from now on, the oldest first; it looks when the schedule says so.
 *
 * Registries list the newest tag first, so that a look ends where the last one began. One that fails, as the registry
 * is not available, is made again when the schedule says so, and nothing is missed by that.
 */
export const watchTags = <E, R>(repository: string, schedule: Schedule.Schedule<unknown, unknown, E, R>) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.ContainerRegistry
      const seen = yield* Ref.make(nothingSeen)

      const look = Effect.gen(function* () {
        const { digests, newestMillis } = yield* Ref.get(seen)
        // Few tags are new at a look: the registry need not send a thousand for them.
        const recent = yield* registry.tags(repository, { orderBy: "newest", pageSize: 100 }).pipe(
          // Two tags may be of the same millisecond, of which the last look may have seen only one.
          Stream.takeWhile((tag) => millisOf(tag) >= newestMillis),
          Stream.runCollect,
          // A repository is there with its first push.
          Effect.catchReason("RegistryError", "NotFound", () => Effect.succeed([]))
        )
        const [newest] = recent
        yield* Ref.set(seen, {
          digests: new Map([...digests, ...recent.map(({ digest, name }) => [name, digest] as const)]),
          newestMillis: newest === undefined ? newestMillis : millisOf(newest)
        })
        return recent
          .filter(({ digest, name }) => digests.get(name) !== digest)
          .map((tag): TagChange => ({ tag, before: Option.fromUndefinedOr(digests.get(tag.name)) }))
          .toReversed()
      }).pipe(Effect.retry({ schedule, while: isPassing }))

      return Stream.fromEffectSchedule(look, schedule).pipe(
        // The first look finds what has been there before.
        Stream.drop(1),
        Stream.flattenIterable
      )
    })
  )

/** Points a tag at what another one names: the smallest push there is. */
const retag = Effect.fnUntraced(function* (repository: string, from: string, to: string) {
  const content = yield* RegistryContent.RegistryContent
  yield* content.putManifest(repository, yield* content.manifest(repository, from), { tag: to })
})

const short = (digest: Digest.Digest): string => digest.slice(0, "sha256:".length + 12)

const shown = ({ before, tag: { digest, lastUpdatedOn, name } }: TagChange): string =>
  `${DateTime.formatIso(lastUpdatedOn)}  ${name.padEnd(10)}  ${Option.match(before, {
    onNone: () => `is new: ${short(digest)}`,
    onSome: (old) => `has moved: ${short(old)} → ${short(digest)}`
  })}`

/** Half a minute between two looks; on the emulator less, and with a push each time as long as there are any. */
const scheduleFor = (repository: string, isOwn: boolean) => {
  if (isOwn) return Schedule.spaced("30 seconds")
  const pushes = [
    retag(repository, "2026.10", "stable"),
    retag(repository, "2026.10", "latest"),
    retag(repository, "2026.11", "stable")
  ]
  return Schedule.spaced("200 millis").pipe(
    Schedule.upTo({ times: pushes.length }),
    Schedule.tap(({ output }) => pushes[output] ?? Effect.void)
  )
}

export const watchTagsOfRepository = Effect.gen(function* () {
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("contoso/web"))
  yield* Console.log(`watching ${repository}`)
  yield* watchTags(repository, scheduleFor(repository, yield* isOwnRegistry)).pipe(
    Stream.runForEach((change) => Console.log(shown(change)))
  )
})

if (import.meta.main) run(watchTagsOfRepository, RegistryLive)
