/**
 * Cases about many small answers: lists and manifests.
 */
import * as Effect from "effect/Effect"
import { bareLoops, bareSpeed, type Case, effectSpeed, everyone, limitSpeed, mebibyte, speed } from "./case.ts"
import { warmUpReads } from "./job.ts"
import { profile } from "./profile.ts"
import type { Figure } from "./report.ts"
import { emulator, limit, requestsOf } from "./servers.ts"
import { does, perRound } from "./turns.ts"

const repository = "bench"

/** Node lets garbage lie until it has tens of mebibytes of it. With less room for that, what is kept shows. */
const smallYoungGeneration = ["--max-semi-space-size=1", "--max-old-space-size=48"]

export const reads: ReadonlyArray<Case> = [
  {
    name: "lists",
    title: "list 10,000 tags and 10,000 manifests of the emulator",
    run: Effect.fnUntraced(function* (turns) {
      const count = 10_000
      const server = yield* emulator(repository, count)
      const away = yield* limit({ items: count, latencyMillis: 5 })
      const lists = [
        ["tags", "ListTags"],
        ["manifests", "ListManifests"]
      ] as const
      const figures = yield* Effect.forEach(lists, ([noun, _tag]) =>
        Effect.gen(function* () {
          const job = { _tag, ...server, repository, count }
          const largePages = { ...job, query: "?n=999" }
          const took = yield* turns(everyone(["ours", "azure", ...bareLoops], job))
          const further = yield* turns(everyone(["ours", ...bareLoops], { ...job, ...away }))
          const alike = yield* turns(everyone(["ours", "effect", ...bareLoops], largePages))
          const compiled = yield* turns(everyone(["ours", "effect", ...bareLoops], { ...largePages, warmUps: 5 }))
          return [
            bareSpeed(took, 0.9, `${noun}: `),
            speed(took, "azure", undefined, `${noun}: `),
            limitSpeed(took, `${noun}: `),
            bareSpeed(further, 0.9, `${noun}, 5 ms away: `),
            bareSpeed(alike, undefined, `${noun}, all with large pages: `),
            effectSpeed(alike, `${noun}, all with large pages: `),
            bareSpeed(compiled, undefined, `${noun}, and once compiled: `),
            effectSpeed(compiled, `${noun}, and once compiled: `),
            ...(yield* profile(job, `${noun}: `))
          ]
        })
      )
      return figures.flat()
    })
  },
  {
    name: "list-growth",
    title: "how a list's cost grows with its length",
    run: Effect.fnUntraced(function* (turns) {
      const counts = [1000, 10_000, 100_000]
      const [few = 1] = counts
      const took = yield* Effect.forEach(counts, (items) =>
        Effect.gen(function* () {
          const job = { _tag: "ListManifests", ...(yield* limit({ items })), repository, count: items } as const
          const { ours: plain = [] } = yield* turns(everyone(["ours"], job))
          const { ours: tidy = [] } = yield* turns({
            ours: () => does("ours", job, { nodeArguments: smallYoungGeneration })
          })
          return { plain, tidy }
        })
      )
      return counts.flatMap((count, index): ReadonlyArray<Figure> => {
        return [
          {
            what: `time for each of ${count} ÷ for each of ${few}`,
            values: perRound(
              took[index]?.plain,
              took[0]?.plain,
              (one, other) => one.seconds / count / (other.seconds / few)
            ),
            unit: "×",
            point: { of: "time for each item, by length of a list", x: count, unit: "manifests" }
          },
          {
            what: `peak memory of ${count} above that of ${few}`,
            values: perRound(
              took[index]?.tidy,
              took[0]?.tidy,
              (one, other) => (one.peakRssBytes - other.peakRssBytes) / mebibyte
            ),
            unit: "MiB"
          }
        ]
      })
    })
  },
  {
    name: "manifests",
    title: "2,000 small manifest reads, 32 at a time",
    run: Effect.fnUntraced(function* (turns) {
      const count = 2000
      const job = { _tag: "ReadManifests", ...(yield* limit()), repository, tag: "v1", count, width: 32 } as const
      const took = yield* turns(everyone(["ours", "azure", "effect", "undici"], job))

      const before = yield* requestsOf(job)
      const alone = (yield* turns(everyone(["ours"], job))).ours ?? []
      const asked = (yield* requestsOf(job)) - before
      return [
        speed(took, "azure", 1),
        speed(took, "effect", 0.9),
        speed(took, "undici"),
        effectSpeed(took),
        ...(yield* profile(job)),
        {
          what: "requests per read, when warm",
          values: [(asked / alone.length - warmUpReads) / count],
          unit: "requests",
          atLeast: 1,
          atMost: 1
        }
      ]
    })
  }
]
