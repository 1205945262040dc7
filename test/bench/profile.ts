/**
 * Where the time of a job goes: the samples of the processor in one run of ours, by whose code they are in.
 */
import { readFile } from "node:fs/promises"
import { SourceMap, type SourceMapping } from "node:module"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { temporaryFolder } from "../support/command.ts"
import type { Job } from "./job.ts"
import type { Figure } from "./report.ts"
import { built, does } from "./turns.ts"

const CallFrame = Schema.Struct({
  functionName: Schema.String,
  url: Schema.String,
  lineNumber: Schema.Int,
  columnNumber: Schema.Int
})

/** What V8 writes. */
const Profile = Schema.Struct({
  nodes: Schema.Array(Schema.Struct({ id: Schema.Int, callFrame: CallFrame })),
  samples: Schema.Array(Schema.Int),
  timeDeltas: Schema.Array(Schema.Int)
})
type Profile = typeof Profile.Type

const PositionMap = Schema.Struct({
  file: Schema.String,
  version: Schema.Int,
  sources: Schema.mutable(Schema.Array(Schema.String)),
  names: Schema.mutable(Schema.Array(Schema.String)),
  mappings: Schema.String
})

const owners = [
  "this library",
  "Effect",
  "undici, Node and native code",
  "collecting garbage",
  "waiting and reading"
] as const
type Owner = (typeof owners)[number]

const ownerOf = ({ columnNumber, functionName, lineNumber, url }: typeof CallFrame.Type, map: SourceMap): Owner => {
  if (functionName === "(idle)") return "waiting and reading"
  if (functionName === "(garbage collector)") return "collecting garbage"
  const place: Partial<SourceMapping> = url.endsWith("/ours.mjs") ? map.findEntry(lineNumber, columnNumber) : {}
  const { originalSource: source = "" } = place
  if (/\/packages\/(?:client|node)\//.test(source)) return "this library"
  return /\/node_modules\/(?:@effect|effect)\//.test(source) ? "Effect" : "undici, Node and native code"
}

const sharesOf = ({ nodes, samples, timeDeltas }: Profile, map: SourceMap): ReadonlyMap<Owner, number> => {
  const ownerById = new Map(nodes.map(({ callFrame, id }) => [id, ownerOf(callFrame, map)]))
  const total = timeDeltas.reduce((sum, delta) => sum + delta, 0)
  const shares = new Map<Owner, number>()
  for (const [index, id] of samples.entries()) {
    const owner = ownerById.get(id) ?? "undici, Node and native code"
    shares.set(owner, (shares.get(owner) ?? 0) + (timeDeltas[index] ?? 0) / total)
  }
  return shares
}

const readJson = <S extends Schema.ConstraintDecoder<unknown>>(path: string, schema: S) =>
  Effect.flatMap(
    Effect.promise(() => readFile(path, "utf8")),
    Schema.decodeUnknownEffect(Schema.fromJsonString(schema))
  )

/** How the time of a job is shared, in percent. */
export const profile = Effect.fnUntraced(function* (job: Job, before = "") {
  const path = join(yield* temporaryFolder, "cpuprofile")
  yield* does("ours", job, { profile: path })
  const map = yield* readJson(`${built}ours.mjs.map`, PositionMap)
  const shares = sharesOf(yield* readJson(path, Profile), new SourceMap({ ...map, sourcesContent: [], sourceRoot: "" }))
  return owners.map((owner): Figure => ({
    what: `${before}share of our time: ${owner}`,
    values: [100 * (shares.get(owner) ?? 0)],
    unit: "%"
  }))
})
