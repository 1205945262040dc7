/**
 * Cases about migrations: what the bookkeeping of a million artifacts takes, and how time grows with their number.
 *
 * Migrations run by `Migration.run`. Registries in memory are `Registries` as any other: the migration has no seam for them.
 */
import { statSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { bundle } from "../support/bundle.ts"
import { run, temporaryFolder } from "../support/command.ts"
import { type Case, mebibyte } from "./case.ts"
import type { Figure } from "./report.ts"
import { kept } from "./servers.ts"

/** The programs: migrations, and what these record alone. */
const programs = {
  migration: new URL("simulation/process.ts", import.meta.url),
  records: new URL("simulation/records.ts", import.meta.url)
}

/**
 * Node lets garbage lie as long as it has room: with less of it, what is kept shows. It then looks for garbage all the time,
 * which takes up to half of the processor.
 */
const heapOf = (heapMebibytes: number): ReadonlyArray<string> => [
  `--max-old-space-size=${heapMebibytes}`,
  "--max-semi-space-size=8"
]

const env = { ...process.env, MALLOC_ARENA_MAX: "2" }

const Took = Schema.Struct({ seconds: Schema.Finite, processorSeconds: Schema.Finite, requests: Schema.Natural })

const Printed = Schema.fromJsonString(
  Schema.Struct({
    first: Took,
    again: Schema.optionalKey(Took),
    verified: Schema.Natural,
    sent: Schema.Natural,
    mounted: Schema.Natural,
    peakRssBytes: Schema.Finite
  })
)

interface Job {
  readonly images: number
  /** The images of a repository in memory. Defaults to 1000. */
  readonly perRepository?: number
  /** Of each answer of a registry in memory. */
  readonly latencyMillis?: number
  /** What Node has for objects. Defaults to 160 MiB. */
  readonly heap?: ReadonlyArray<string>
  /** Whether the images are copied without a migration. */
  readonly isBare?: boolean
  /** Whether there is no second migration, which finds nothing changed. */
  readonly isOnce?: boolean
  readonly registries?: { readonly source: string; readonly target: string }
}

const copies = 64

/** The heap that Node gives itself on this machine. */
const ownHeap: ReadonlyArray<string> = []

/** Makes what runs a program in a process of its own, and says how many bytes its database has afterwards. */
const programOf = Effect.fnUntraced(function* (name: keyof typeof programs) {
  const folder = yield* temporaryFolder
  const file = join(folder, `${name}.mjs`)
  yield* bundle({ entry: fileURLToPath(programs[name]), file })
  let count = 0
  return Effect.fnUntraced(function* ({ heap = heapOf(160), ...job }: Job) {
    const filename = join(folder, `${count++}.sqlite`)
    const argument = JSON.stringify({ latencyMillis: 0, copies, filename, ...job })
    const printed = yield* Effect.flatMap(
      run(process.execPath, [...heap, file, argument], { env }),
      Schema.decodeEffect(Printed)
    )
    if (job.isBare !== true && printed.verified !== job.images) {
      return yield* Effect.fail(`${printed.verified} of ${job.images} artifacts arrived`)
    }
    return { ...printed, bytes: statSync(filename).size }
  })
})

const processorOf = ({ first }: { readonly first: typeof Took.Type }) => first.processorSeconds

const growth = (what: string, values: ReadonlyArray<number>): Figure => ({
  what: `processor for each artifact, ${what}`,
  values,
  unit: "×",
  atMost: 1.25
})

/** Repositories of a simulation have a thousand images; lists have 999 of them a page, of tags and of manifests, on both sides. */
const pagesOf = (images: number): number => (images / 1000) * 2 * 2 * 2

const latencyMillis = 2

/** Artifacts by the number that a user has, and how many of them a copy alone is measured with. */
const few = 10_000
const many = 100_000
const most = 1_000_000

const simulated: Case = {
  name: "migration",
  title: "a migration of 1,000,000 artifacts in 1,000 repositories, between registries in memory",
  isAlone: true,
  run: Effect.fnUntraced(function* () {
    const migrate = yield* programOf("migration")
    const bare = yield* migrate({ images: most, latencyMillis, heap: ownHeap, isBare: true })
    const whole = yield* migrate({ images: most, latencyMillis, heap: ownHeap, isOnce: true })
    const [small, middle, large] = [
      yield* migrate({ images: few, latencyMillis }),
      yield* migrate({ images: many, latencyMillis }),
      yield* migrate({ images: most, latencyMillis })
    ]
    const each = (took: typeof small, images: number) => processorOf(took) / images
    return [
      growth("100,000 ÷ 10,000", [each(middle, many) / each(small, few)]),
      growth("1,000,000 ÷ 100,000", [each(large, most) / each(middle, many)]),
      {
        what: "processor besides the copies, in a heap of Node's own size",
        values: [processorOf(whole) - processorOf(bare)],
        unit: "s",
        atMost: 60
      },
      {
        what: "processor, copies included, in a heap of Node's own size ÷ in one of 160 MiB",
        values: [processorOf(whole) / processorOf(large)],
        unit: "×"
      },
      { what: "peak memory, 100,000", values: [middle.peakRssBytes / mebibyte], unit: "MiB", atMost: 300 },
      { what: "peak memory, 1,000,000", values: [large.peakRssBytes / mebibyte], unit: "MiB", atMost: 300 },
      { what: "database for an artifact", values: [large.bytes / most], unit: "bytes", atMost: 500 },
      {
        what: "nothing changed: requests that are no pages",
        values: [(large.again?.requests ?? Number.NaN) - pagesOf(most)],
        unit: "requests",
        atMost: 0
      },
      { what: "nothing changed: processor", values: [large.again?.processorSeconds ?? Number.NaN], unit: "s" }
    ]
  })
}

const records: Case = {
  name: "migration-records",
  title: "what a migration of 1,000,000 artifacts records: workflows and tables alone",
  isAlone: true,
  run: Effect.fnUntraced(function* () {
    const record = yield* programOf("records")
    const middle = yield* record({ images: many, heap: ownHeap })
    const large = yield* record({ images: most, heap: ownHeap })
    return [
      { what: "processor", values: [processorOf(large)], unit: "s", atMost: 60 },
      growth("1,000,000 ÷ 100,000", [processorOf(large) / most / (processorOf(middle) / many)]),
      { what: "database for an artifact", values: [large.bytes / most], unit: "bytes", atMost: 500 }
    ]
  })
}

const overHttp: Case = {
  name: "migration-http",
  title: "a migration of 100,000 artifacts between two emulators over HTTP",
  isAlone: true,
  run: Effect.fnUntraced(function* () {
    const migrate = yield* programOf("migration")
    const between = Effect.fnUntraced(function* (images: number) {
      const registries = { source: yield* kept({ tags: images, perRepository: 1000 }), target: yield* kept({}) }
      return yield* migrate({ images, registries })
    }, Effect.scoped)
    const small = yield* between(few)
    const large = yield* between(many)
    return [
      growth("100,000 ÷ 10,000", [processorOf(large) / many / (processorOf(small) / few)]),
      { what: "time for 1,000 artifacts", values: [large.first.seconds / (many / 1000)], unit: "s" },
      { what: "processor for 1,000 artifacts", values: [processorOf(large) / (many / 1000)], unit: "s" },
      { what: "peak memory", values: [large.peakRssBytes / mebibyte], unit: "MiB", atMost: 300 },
      { what: "database for an artifact", values: [large.bytes / many], unit: "bytes", atMost: 500 },
      { what: "nothing changed: time", values: [large.again?.seconds ?? Number.NaN], unit: "s" }
    ]
  })
}

const manyTags = 100_000
const manyRepositories = 50_000

const shapes: Case = {
  name: "migration-shapes",
  title: "a migration of one repository with 100,000 tags, and one of 50,000 repositories with a tag each, in memory",
  isAlone: true,
  run: Effect.fnUntraced(function* () {
    const migrate = yield* programOf("migration")
    const usual = yield* migrate({ images: manyTags, latencyMillis })
    // The lists of a repository are in memory while they are compared.
    const long = yield* migrate({ images: manyTags, latencyMillis, perRepository: manyTags, heap: heapOf(320) })
    const wide = yield* migrate({ images: manyRepositories, latencyMillis, perRepository: 1 })
    const each = (took: typeof usual, images: number) => processorOf(took) / images
    return [
      {
        what: "processor for each artifact, 100,000 tags in one repository ÷ in a hundred",
        values: [processorOf(long) / processorOf(usual)],
        unit: "×",
        atMost: 1.25
      },
      {
        what: "processor for each artifact, one in each of 50,000 repositories ÷ 1,000 in each of a hundred",
        values: [each(wide, manyRepositories) / each(usual, manyTags)],
        unit: "×"
      },
      { what: "peak memory, one repository", values: [long.peakRssBytes / mebibyte], unit: "MiB", atMost: 512 },
      { what: "peak memory, 50,000 repositories", values: [wide.peakRssBytes / mebibyte], unit: "MiB", atMost: 300 },
      {
        what: "50,000 repositories again, nothing changed: requests for each",
        values: [(wide.again?.requests ?? Number.NaN) / manyRepositories],
        unit: "requests",
        atMost: 5
      }
    ]
  })
}

export const migration: ReadonlyArray<Case> = [simulated, records, overHttp, shapes]
