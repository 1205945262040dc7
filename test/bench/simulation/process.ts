/**
 * A migration in a process of its own, which prints what it took as a line of JSON. The argument is JSON: `images` in
 * registries in memory, which answer after `latencyMillis`; or `registries` that are there, by their names and addresses. With
 * `isBare`, the same lists are read and the same images copied, with the same requests, and without what a migration does besides. A
 * migration runs twice, or once with `isOnce`.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as Repository from "@effect-acr/artifacts/Repository"
import * as Credentials from "@effect-acr/client/Credentials"
import * as ClientRegistries from "@effect-acr/client/Registries"
import { Migration, MigrationRules, SqliteClient } from "@effect-acr/migration"
import { reading } from "../../../packages/migration/src/internal/copy.ts"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type { Path } from "effect/Path"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { peakMemoryBytes } from "../../support/peakMemory.ts"
import * as Images from "./images.ts"
import * as Simulated from "./registries.ts"
import { took } from "./took.ts"

const Job = Schema.fromJsonString(
  Schema.Struct({
    filename: Schema.String,
    images: Schema.Natural,
    latencyMillis: Schema.Natural,
    copies: Schema.Natural,
    perRepository: Schema.optionalKey(Schema.Natural),
    isBare: Schema.optionalKey(Schema.Boolean),
    isOnce: Schema.optionalKey(Schema.Boolean),
    registries: Schema.optionalKey(Schema.Struct({ source: Schema.String, target: Schema.String }))
  })
)
const { perRepository = 1000, ...job } = Schema.decodeUnknownSync(Job)(process.argv[2])

const simulated = Simulated.make(job.images, job.latencyMillis, perRepository)

const adminUser = { username: "admin", password: Redacted.make("bench") }

const nameOf = (endpoint: string) => new URL(endpoint).host

const real = ({ source, target }: { readonly source: string; readonly target: string }) =>
  ClientRegistries.layerOptions({
    registries: Object.fromEntries([source, target].map((endpoint) => [nameOf(endpoint), { endpoint }]))
  }).pipe(
    Layer.provide([
      Credentials.layerPassword(adminUser).pipe(Credentials.onlyFor([nameOf(source), nameOf(target)])),
      NodeRegistryHttpClient.layer
    ])
  )

const [from, to] =
  job.registries === undefined
    ? [Simulated.source, Simulated.target]
    : [nameOf(job.registries.source), nameOf(job.registries.target)]

/** A target that is asked for each blob once, as a migration asks a repository for the blobs that many of its artifacts have. */
const askedOnce = (target: Repository.Repository): Repository.Repository => {
  const there = new Set<string>()
  return {
    ...target,
    putBlob: (blob, source, options) =>
      Effect.suspend(() =>
        there.has(blob.digest)
          ? Effect.succeed("present")
          : Effect.tap(target.putBlob(blob, source, options), () => Effect.sync(() => there.add(blob.digest)))
      )
  }
}

const listed = Effect.fnUntraced(function* (place: string, name: string) {
  const { registry } = yield* ClientRegistries.open(`${place}/${name}`)
  yield* Stream.runDrain(registry.tags(name))
  yield* Stream.runDrain(registry.manifests(name))
})

/** The requests of a migration alone: its lists before and after, and its copies. */
const bare: Effect.Effect<void, unknown, ClientRegistries.Registries> = Effect.forEach(
  simulated.repositories,
  (name, repository) =>
    Effect.gen(function* () {
      const source = reading(yield* Repository.open(`${from}/${name}`))
      const target = askedOnce(yield* Repository.open(`${to}/${name}`))
      const copy = (number: number) =>
        Copy.run(source, target, Images.digestOf("manifest", number), { tags: [Images.tagOf(number)] })
      const list = Effect.andThen(listed(from, name), listed(to, name))
      yield* list
      yield* Effect.forEach(simulated.numbersIn(repository), copy, { concurrency: job.copies, discard: true })
      yield* list
    }),
  { discard: true }
)

const run: Effect.Effect<void, unknown, ClientRegistries.Registries | SqlClient | FileSystem | Path> = Effect.flatMap(
  MigrationRules.parse(
    JSON.stringify({ routes: [{ from: { registry: from }, to: { registry: to } }], limits: { copies: job.copies } })
  ),
  (rules) => Stream.runDrain(Migration.run("bench", rules))
)

const program = Effect.gen(function* () {
  const measured = Effect.fnUntraced(function* <E, R>(work: Effect.Effect<void, E, R>) {
    const { requests } = simulated.count
    const seconds = yield* took(work)
    return { ...seconds, requests: simulated.count.requests - requests }
  })
  const first = yield* measured(job.isBare === true ? bare : run)
  const { mounted, sent } = simulated.count
  const again = job.isBare === true || job.isOnce === true ? undefined : yield* measured(run)
  const totals = job.isBare === true ? [] : (yield* Migration.status("bench")).totals
  yield* Console.log(
    JSON.stringify({
      first,
      again,
      sent,
      mounted,
      verified: totals.find(({ state }) => state === "verified")?.count ?? 0,
      peakRssBytes: peakMemoryBytes()
    })
  )
})

program.pipe(
  Effect.provide(
    Layer.mergeAll(
      job.registries === undefined ? simulated.layer : real(job.registries),
      NodeServices.layer,
      SqliteClient.layer({ filename: job.filename })
    )
  ),
  NodeRuntime.runMain
)
