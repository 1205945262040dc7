/**
 * Cases about bytes: downloads and uploads of one blob.
 */
import { rm } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { temporaryFolder } from "../support/command.ts"
import { writeLargeFile } from "../support/largeFile.ts"
import { bareLoops, bareSpeed, type Case, everyone, limitSpeed, mebibyte, speed, type Turns } from "./case.ts"
import { digestOf } from "./content.ts"
import type { Job, JobOf } from "./job.ts"
import { profile } from "./profile.ts"
import type { Figure } from "./report.ts"
import { limit, type Server } from "./servers.ts"
import { type Contestants, type Outcomes, perRound, type Rounds } from "./turns.ts"

const repository = "bench"
const size = 512 * mebibyte

const blobOf = (bytes: number) => ({ digest: digestOf(bytes), size: bytes })

const download = (server: Server, bytes: number): JobOf<"Download"> => ({
  _tag: "Download",
  ...server,
  repository,
  ...blobOf(bytes)
})
const upload = (server: Server, bytes: number): JobOf<"Upload"> => ({
  _tag: "Upload",
  ...server,
  repository,
  size: bytes
})

const downloadFile = (server: Server, bytes: number, path: string): Job => ({
  ...download(server, bytes),
  _tag: "DownloadFile",
  path,
  ...blobOf(bytes)
})
const uploadFile = (server: Server, bytes: number, path: string): Job => ({
  ...upload(server, bytes),
  _tag: "UploadFile",
  path,
  size: bytes
})

/** A file to upload, and the name of one to download. */
const files = Effect.fnUntraced(function* (bytes: number) {
  const folder = yield* temporaryFolder
  const source = join(folder, "source")
  yield* writeLargeFile(source, bytes / mebibyte)
  return { source, target: join(folder, "target") }
})

/**
 * Memory that the system has had in use just before. What it has never touched, or given back to a host of virtual
 * machines, takes several times as long to write to, and the first contestant pays for it.
 */
const warmMemory = Effect.scoped(Effect.flatMap(temporaryFolder, (folder) => writeLargeFile(join(folder, "blob"), 640)))

/** A job that everybody does. */
const single = (
  name: string,
  title: string,
  goals: { readonly bare: number; readonly azure?: number },
  jobFor: (server: Server, paths: Effect.Success<ReturnType<typeof files>>) => Job
): Case => ({
  name,
  title,
  run: Effect.fnUntraced(function* (turns) {
    const server = yield* limit({ sizes: [size] })
    const job = jobFor(server, yield* files(size))
    const took = yield* turns(everyone(["ours", "azure", ...bareLoops], job, warmMemory))
    const shares = yield* profile(job)
    return [bareSpeed(took, goals.bare), speed(took, "azure", goals.azure), limitSpeed(took), ...shares]
  })
})

const peak = ({ peakRssBytes }: Outcomes[number]): number => peakRssBytes

/** How much memory a transfer takes, whatever its size. */
const memory = Effect.fnUntraced(function* (turns: Turns, what: "download" | "upload") {
  const [small, large] = [64 * mebibyte, 2048 * mebibyte]
  const server = yield* limit({ sizes: [small, large] })
  const job = (bytes: number, { source, target }: Effect.Success<ReturnType<typeof files>>) =>
    what === "download" ? downloadFile(server, bytes, target) : uploadFile(server, bytes, source)
  const few = yield* turns(everyone(["ours"], job(small, yield* files(small))))
  const paths = yield* files(large)
  const many = yield* turns(everyone(["ours", "azure"], job(large, paths)))
  yield* Effect.promise(() => rm(paths.source))
  return [
    {
      what: `${what}: peak memory, ours ÷ Azure SDK`,
      values: perRound(many.ours, many.azure, (ours, theirs) => peak(ours) / peak(theirs)),
      unit: "×",
      atMost: 1
    },
    {
      what: `${what}: peak memory of 2 GiB above that of 64 MiB`,
      values: perRound(many.ours, few.ours, (one, other) => (peak(one) - peak(other)) / mebibyte),
      unit: "MiB",
      atMost: 32
    }
  ] satisfies ReadonlyArray<Figure>
})

const ways = [
  ["download", download],
  ["upload", upload]
] as const

const sizes = [128, 16, 512, 2048].map((count) => count * mebibyte)

/** Throughput by size, against that of the first, 128 MiB. */
const throughputs = (what: string, took: ReadonlyArray<Rounds>, row: string): ReadonlyArray<Figure> =>
  sizes.map((bytes, index) => ({
    what: `${what} of ${bytes / mebibyte} MiB ÷ of 128 MiB, bytes per second`,
    values: perRound(
      took[index]?.ours,
      took[0]?.ours,
      (one, other) => bytes / one.seconds / ((128 * mebibyte) / other.seconds)
    ),
    unit: "×",
    point: { of: row, x: bytes / mebibyte, unit: "MiB" }
  }))

/** Each way with each size, and what is made of the rounds of a way. */
const forSizes = (
  contestants: (job: JobOf<"Download"> | JobOf<"Upload">, bytes: number) => Contestants,
  figuresOf: (what: string, took: ReadonlyArray<Rounds>) => ReadonlyArray<Figure>
) =>
  Effect.fnUntraced(function* (turns: Turns) {
    const server = yield* limit({ sizes })
    const figures = yield* Effect.forEach(ways, ([what, jobFor]) =>
      Effect.map(
        Effect.forEach(sizes, (bytes) => turns(contestants(jobFor(server, bytes), bytes))),
        (took) => figuresOf(what, took)
      )
    )
    return figures.flat()
  })

const bySize = forSizes(
  (job) => everyone(["ours", ...bareLoops], job),
  (what, took) => [
    ...throughputs(what, took, `throughput by size: ${what}`),
    ...sizes.map((bytes, index) => bareSpeed(took[index] ?? {}, undefined, `${what} of ${bytes / mebibyte} MiB, `))
  ]
)

/** Once the code is compiled: half a gigabyte at least goes first. */
const bySizeCompiled = forSizes(
  (job, bytes) => everyone(["ours"], { ...job, warmUps: Math.ceil(size / bytes) }),
  (what, took) => throughputs(what, took, `throughput by size, compiled: ${what}`)
)

/** The same loop and the same library over longer and longer wires. */
const byLatency = (turns: Turns) =>
  Effect.forEach([0, 10, 30, 90], (latencyMillis) =>
    Effect.gen(function* () {
      const bytes = 128 * mebibyte
      const server = yield* limit({ sizes: [bytes], latencyMillis })
      return yield* Effect.forEach(ways, ([what, jobFor]) =>
        Effect.map(turns(everyone(["ours", ...bareLoops], jobFor(server, bytes))), (took) => ({
          ...bareSpeed(took, undefined, `${what} of 128 MiB over ${latencyMillis} ms, `),
          point: { of: `throughput by latency: ${what}`, x: latencyMillis, unit: "ms" }
        }))
      )
    })
  ).pipe(Effect.map((figures) => figures.flat()))

export const transfers: ReadonlyArray<Case> = [
  single("download", "download 512 MiB over TLS, verified", { bare: 0.95, azure: 1.1 }, (server) =>
    download(server, size)
  ),
  single("download-file", "download 512 MiB to a file, verified", { bare: 0.9 }, (server, { target }) =>
    downloadFile(server, size, target)
  ),
  single("upload", "upload 512 MiB from memory over TLS", { bare: 0.95, azure: 1.7 }, (server) => upload(server, size)),
  single("upload-file", "upload 512 MiB from a file", { bare: 0.9 }, (server, { source }) =>
    uploadFile(server, size, source)
  ),
  {
    name: "latency",
    title: "the same transfers with 30 ms of latency in between",
    run: Effect.fnUntraced(function* (turns) {
      const server = yield* limit({ sizes: [size], latencyMillis: 30 })
      const { source, target } = yield* files(size)
      const jobs: ReadonlyArray<readonly [string, Job]> = [
        ["download", download(server, size)],
        ["download to a file", downloadFile(server, size, target)],
        ["upload from memory", upload(server, size)],
        ["upload from a file", uploadFile(server, size, source)]
      ]
      return yield* Effect.forEach(jobs, ([what, job]) =>
        Effect.map(turns(everyone(["ours", ...bareLoops], job, warmMemory)), (took) =>
          bareSpeed(took, 0.9, `${what}: `)
        )
      )
    })
  },
  {
    name: "memory",
    title: "2 GiB up and down: the most memory that the process held",
    run: (turns) =>
      Effect.map(
        Effect.forEach(["download", "upload"] as const, (what) => Effect.scoped(memory(turns, what))),
        (figures) => figures.flat()
      )
  },
  {
    name: "compiled",
    title: "how throughput changes with size once the code is compiled",
    run: bySizeCompiled
  },
  {
    name: "growth",
    title: "how throughput changes with size and latency",
    run: (turns) => Effect.zipWith(bySize(turns), byLatency(turns), (sizes, latencies) => [...sizes, ...latencies])
  }
]
