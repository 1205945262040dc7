/**
 * The job of a contestant, and its result: one line of JSON each way, so that every contestant is a
 * process of its own and none warms up, or litters, for another.
 */
import { writeFile } from "node:fs/promises"
import { Session } from "node:inspector/promises"
import * as Schema from "effect/Schema"
import { peakMemoryBytes } from "../support/peakMemory.ts"

const registry = {
  endpoint: Schema.String,
  /** A file with the certificate to trust, in PEM, if the registry speaks https. */
  ca: Schema.optionalKey(Schema.String),
  repository: Schema.String
}

/** Which blob a registry holds. */
const blob = { digest: Schema.String, size: Schema.Int }

/** How often it is done before the clock runs: a program is slow until it is compiled. */
const warm = { warmUps: Schema.optionalKey(Schema.Int) }

/** How many items a list has, and what is written behind its address: libraries know for themselves what to ask for. */
const items = { count: Schema.Int, query: Schema.optionalKey(Schema.String) }

/** An image of a layout, under the tag `v1`, that goes into an archive or comes from there. */
const archive = { archive: Schema.String, layout: Schema.String }

export const ArchiveJob = Schema.Union([
  Schema.TaggedStruct("SaveArchive", archive),
  Schema.TaggedStruct("LoadArchive", archive)
])
export type ArchiveJob = typeof ArchiveJob.Type

const RegistryJob = Schema.Union([
  Schema.TaggedStruct("Download", { ...registry, ...blob, ...warm }),
  Schema.TaggedStruct("DownloadFile", { ...registry, ...blob, path: Schema.String }),
  Schema.TaggedStruct("Upload", { ...registry, size: Schema.Int, ...warm }),
  Schema.TaggedStruct("UploadFile", { ...registry, path: Schema.String, size: Schema.Int }),
  /** An image in a folder, each blob in a file named after its digest, as `skopeo copy dir:` has it. */
  Schema.TaggedStruct("Push", { ...registry, folder: Schema.String, tag: Schema.String, width: Schema.Int, ...warm }),
  Schema.TaggedStruct("Pull", { ...registry, folder: Schema.String, tag: Schema.String, width: Schema.Int, ...warm }),
  /** An image that goes to another registry, into a repository that has nothing of it. */
  Schema.TaggedStruct("Copy", {
    ...registry,
    tag: Schema.String,
    width: Schema.Int,
    target: Schema.Struct(registry)
  }),
  Schema.TaggedStruct("ListTags", { ...registry, ...items, ...warm }),
  Schema.TaggedStruct("ListManifests", { ...registry, ...items, ...warm }),
  Schema.TaggedStruct("ReadManifests", { ...registry, tag: Schema.String, count: Schema.Int, width: Schema.Int })
])
export type RegistryJob = typeof RegistryJob.Type

export const Job = Schema.Union([ArchiveJob, RegistryJob])
export type Job = typeof Job.Type

const isArchiveJob = Schema.is(ArchiveJob)

/** A job of one kind. */
export type JobOf<Tag extends Job["_tag"]> = Extract<Job, { readonly _tag: Tag }>

const taken = {
  seconds: Schema.Finite,
  peakRssBytes: Schema.Finite,
  /** The time of the processor, for the process and for the system. Only whole processes are measured so. */
  processorSeconds: Schema.optionalKey(Schema.Finite)
}

export const Outcome = Schema.Struct({
  ...taken,
  /** The same for the process that starts, and does nothing, in the same round. */
  start: Schema.optionalKey(Schema.Struct(taken))
})
export type Outcome = typeof Outcome.Type

/** What the clock runs for. */
export type Work = () => Promise<unknown>

/** Takes samples of the processor from now on, if there is a file to write them to. */
const startProfile = async (): Promise<() => Promise<void>> => {
  const file = process.env["CPU_PROFILE"] ?? ""
  if (file === "") return async () => {}
  const session = new Session()
  session.connect()
  await session.post("Profiler.enable")
  await session.post("Profiler.start")
  return async () => {
    const { profile } = await session.post("Profiler.stop")
    await writeFile(file, JSON.stringify(profile))
  }
}

const noArchives = (): Work => {
  throw new Error("this contestant knows no archives")
}

/**
 * Runs a contestant: it prepares what this process was started for, and does it by the clock. It ends the process, as
 * connections that are kept would hold it for seconds.
 */
export const compete = async (
  prepare: (job: RegistryJob) => Work | Promise<Work>,
  prepareArchive: (job: ArchiveJob) => Work = noArchives
): Promise<void> => {
  const job = Schema.decodeUnknownSync(Schema.fromJsonString(Job))(process.argv[2])
  const work = isArchiveJob(job) ? prepareArchive(job) : await prepare(job)
  const warmUps = "warmUps" in job ? (job.warmUps ?? 0) : 0
  for (let done = 0; done < warmUps; done++) await work()
  const profiled = await startProfile()
  const begin = performance.now()
  await work()
  const seconds = (performance.now() - begin) / 1000
  await profiled()
  const outcome: Outcome = { seconds, peakRssBytes: peakMemoryBytes() }
  process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit(0))
}

/** A list must be whole to count. */
export const expectCount = (seen: number, count: number): void => {
  if (seen !== count) throw new Error(`${seen} of ${count} items were listed`)
}

/** How many reads come before those that are measured: a program is slow until it is compiled. */
export const warmUpReads = 2000
