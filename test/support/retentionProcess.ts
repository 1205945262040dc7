/**
 * A process that reads the inventory of a repository, plans, and maybe applies the plan. It prints what it found, and the most
 * memory that it held.
 *
 * Arguments: JSON with `endpoint`, `repository`, maybe `ca` (a file with the certificate to trust), `cache` (a folder), and
 * `isApplied`. The Entra token comes by the environment; without one the caller is anonymous.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Retention from "@effect-acr/artifacts/Retention"
import * as RetentionPlan from "@effect-acr/artifacts/RetentionPlan"
import * as RetentionReport from "@effect-acr/artifacts/RetentionReport"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Registry from "@effect-acr/client/Registry"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { peakMemoryBytes } from "./peakMemory.ts"
import { deleteOld, rulesOf } from "./retention.ts"

const Options = Schema.fromJsonString(
  Schema.Struct({
    endpoint: Schema.String,
    repository: Schema.String,
    ca: Schema.optionalKey(Schema.String),
    cache: Schema.optionalKey(Schema.String),
    isApplied: Schema.optionalKey(Schema.Boolean)
  })
)
const { ca, cache, endpoint, isApplied = false, repository } = Schema.decodeUnknownSync(Options)(process.argv[2])

const encodePlan = Schema.encodeSync(Schema.fromJsonString(RetentionPlan.Plan))

/** What identifies a plan, but for its time. */
const hashOf = (plan: RetentionPlan.Plan, at: RetentionPlan.Plan["at"]): string =>
  createHash("sha256")
    .update(encodePlan({ ...plan, at }))
    .digest("hex")

const credentials =
  process.env["ENTRA_TOKEN"] === undefined
    ? Credentials.layerAnonymous
    : Credentials.layerEntra(Config.Redacted("ENTRA_TOKEN"), { loginServers: ["127.0.0.1"] })

const program = Effect.gen(function* () {
  const store = cache === undefined ? undefined : yield* KeyValueStore.KeyValueStore
  const rules = yield* rulesOf([deleteOld])
  const target = yield* Retention.target(repository)
  const begun = performance.now()
  const inventory = yield* Retention.inventory(target, store === undefined ? {} : { cache: store })
  const read = performance.now()
  const plan = yield* Effect.fromResult(Retention.plan(inventory, rules))
  const planned = performance.now()
  const report = isApplied ? yield* Retention.apply(target, plan, rules) : undefined
  const peakBytes = peakMemoryBytes()
  const [first] = plan.manifests
  return {
    tags: plan.tags.length,
    manifests: plan.manifests.length,
    deletes: plan.frees,
    ...(report === undefined
      ? {}
      : {
          status: RetentionReport.status(report),
          done: report.outcomes.filter(({ outcome }) => outcome === "done").length
        }),
    hash: hashOf(plan, first?.createdOn ?? plan.at),
    seconds: { inventory: (read - begun) / 1000, plan: (planned - read) / 1000 },
    peakBytes
  }
})

program.pipe(
  Effect.flatMap((found) => Console.log(JSON.stringify(found))),
  Effect.provide(
    Registry.layer({ endpoint }).pipe(
      Layer.provide(credentials),
      Layer.provide(NodeRegistryHttpClient.layerOptions(ca === undefined ? {} : { ca: readFileSync(ca, "utf8") })),
      Layer.merge(cache === undefined ? KeyValueStore.layerMemory : KeyValueStore.layerFileSystem(cache)),
      Layer.provideMerge(NodeServices.layer)
    )
  ),
  NodeRuntime.runMain
)
