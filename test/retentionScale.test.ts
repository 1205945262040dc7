/**
 * Retention of large repositories: memory, requests, and work that grows with the number of artifacts and no faster.
 */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Retention from "@effect-acr/artifacts/Retention"
import type { Inventory } from "@effect-acr/artifacts/RetentionInventory"
import type { RetentionTarget } from "@effect-acr/artifacts/RetentionTarget"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as MediaType from "@effect-acr/client/MediaType"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { bundle } from "./support/bundle.ts"
import { run, temporaryFolder } from "./support/command.ts"
import * as ManyManifests from "./support/manyManifests.ts"
import { rulesOf } from "./support/retention.ts"
import { inventoryOf, readAt, type Shape, shapes } from "./support/retentionShapes.ts"

const entry = fileURLToPath(new URL("./support/retentionProcess.ts", import.meta.url))

const mebibyte = 1024 * 1024
const repository = "many"
const amounts = { releases: 600, old: 30, dockerImages: 7000 }
const { manifests: perRelease, tags: tagsPerRelease } = ManyManifests.perRelease
const read = amounts.releases * perRelease
const manifests = read + amounts.dockerImages
const tags = amounts.releases * tagsPerRelease + amounts.dockerImages

/** Items of a page, as the client asks for them. */
const pageSize = 999
const pagesOf = (items: number): number => Math.ceil(items / pageSize)
const pages = pagesOf(manifests) + pagesOf(tags)

/** Node lets garbage lie as long as it has room: with less of it, what is kept shows. */
const smallHeap = ["--max-old-space-size=96", "--max-semi-space-size=4"]

const Outcome = Schema.fromJsonString(
  Schema.Struct({
    tags: Schema.Natural,
    manifests: Schema.Natural,
    deletes: Schema.Struct({ tags: Schema.Natural, manifests: Schema.Natural }),
    status: Schema.optionalKey(Schema.String),
    done: Schema.optionalKey(Schema.Natural),
    hash: Schema.String,
    peakBytes: Schema.Finite
  })
)

/** Sets the emulator's clock. */
class SetClock extends Context.Service<SetClock, Effect.Effect<void>>()("test/retentionScale/SetClock") {}

/** An emulator whose clock is a day behind until it is set: what is pushed before that has not come just before the plan. */
const layerBehind = Layer.effectContext(
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const day = Duration.toMillis("1 day")
    let behind = day
    const nanosBehind = () => BigInt(behind) * 1_000_000n
    const shifted: Clock.Clock = {
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() - behind,
      currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now - behind),
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() - nanosBehind(),
      currentTimeNanos: Effect.map(clock.currentTimeNanos, (now) => now - nanosBehind()),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) => clock.sleep(duration)
    }
    const emulator = yield* Effect.provideService(AcrEmulator.make(), Clock.Clock, shifted)
    return Context.make(AcrEmulator.AcrEmulator, emulator).pipe(
      Context.add(
        SetClock,
        Effect.sync(() => void (behind = 0))
      )
    )
  })
)

/** The request that begins an inventory, and then the application of a plan: for the registry's time. */
const isTime = (request: string): boolean => request === "GET /v2/"

const isPage = (request: string): boolean => /^GET \/acr\/v1\/many\/_(?:tags|manifests)$/.test(request)
const isRead = (request: string): boolean => request.startsWith("GET /v2/many/manifests/")
const isOther = (request: string): boolean =>
  isTime(request) || /^(?:POST \/oauth2\/\w+|GET \/acr\/v1\/many)$/.test(request)

/** Requests by kind. The rest is without logins, the time, and what the registry counts. */
const byKind = (all: ReadonlyArray<string>) => ({
  pages: all.filter(isPage).length,
  reads: all.filter(isRead).length,
  rest: all.filter((request) => !isPage(request) && !isRead(request) && !isOther(request))
})

/** What was asked for an inventory, and for all that came after it. */
const requests = Effect.map(
  Effect.flatMap(AcrEmulator.AcrEmulator, ({ journal }) => journal),
  (entries) => {
    // The first request of all is refused, and sent again with a token.
    const answered = entries.filter(({ status }) => status !== 401)
    const all = answered.map(({ method, path }) => `${method} ${decodeURIComponent(path)}`)
    const begin = all.findIndex(isTime)
    const end = all.findIndex((request, at) => at > begin && isTime(request))
    return end === -1
      ? { inventory: byKind(all), later: byKind([]) }
      : { inventory: byKind(all.slice(0, end)), later: byKind(all.slice(end)) }
  }
)

/** A repository that held an inventory, and has been emptied since. */
const targetOf = ({ registry, repository }: Inventory): RetentionTarget => ({
  origin: { place: registry, repository },
  now: Effect.succeedSome(readAt),
  contents: Effect.succeedNone,
  tags: Stream.empty,
  listing: { _tag: "Everything", manifests: Stream.empty },
  manifest: () => Effect.succeedNone,
  tag: () => Effect.succeedNone,
  look: () => Effect.succeed({ manifests: new Map(), newer: [], newerTags: [] }),
  deleteTag: () => Effect.void,
  deleteManifest: () => Effect.void,
  unlock: () => Effect.succeed({ relock: Effect.void }),
  deletedTags: Stream.empty
})

const isShape = (name: string): name is Shape => name in shapes

it.live(
  `a repository of ${manifests} manifests takes at most 256 MiB, one read of each that may name others, and the pages alone when it is read again`,
  () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const program = join(folder, "program.mjs")
      yield* bundle({ entry, file: program })
      const { clearJournal, endpoint, logins } = yield* AcrEmulator.AcrEmulator
      const { adminUser, entraToken } = logins
      yield* Effect.flatMap(RegistryContent, (content) =>
        content.uploadBlob(repository, BlobSource.fromString(ManyManifests.configText), {
          mediaType: MediaType.ociImageConfig
        })
      )
      const authorization = `Basic ${btoa(`${adminUser.username}:${Redacted.value(adminUser.password)}`)}`
      yield* ManyManifests.send({ endpoint, repository, authorization }, ManyManifests.pushesOf(amounts))
      yield* yield* SetClock

      const retain = Effect.fnUntraced(function* (isApplied: boolean) {
        yield* clearJournal
        const job = JSON.stringify({ endpoint, repository, cache: join(folder, "cache"), isApplied })
        const printed = yield* run(process.execPath, [...smallHeap, program, job], {
          env: { ...process.env, ENTRA_TOKEN: Redacted.value(entraToken) }
        })
        return { outcome: yield* Schema.decodeEffect(Outcome)(printed), asked: yield* requests }
      })
      const first = yield* retain(false)
      assert.deepStrictEqual([first.outcome.manifests, first.outcome.tags], [manifests, tags])
      assert.isAtMost(first.outcome.peakBytes, 256 * mebibyte)
      assert.deepStrictEqual(first.asked.inventory, { pages, reads: read, rest: [] })

      const second = yield* retain(true)
      assert.strictEqual(second.outcome.hash, first.outcome.hash)
      assert.isAtMost(second.outcome.peakBytes, 256 * mebibyte)
      assert.deepStrictEqual(second.asked.inventory, { pages, reads: 0, rest: [] })
      assert.deepInclude(second.outcome, { status: "done", done: amounts.old * perRelease })
      // What the plan knows is not read again, neither for the deletions nor for the check after them.
      assert.strictEqual(second.asked.later.reads, 0)
    }).pipe(Effect.provide(AcrEmulator.layerRegistry().pipe(Layer.provideMerge(layerBehind)))),
  240_000
)

const decide = { action: "delete", because: "no rule keeps it" }

const deleteEverything = {
  defaults: { tags: decide, untagged: decide, orphans: decide },
  limits: { maxFraction: 1, minRemaining: 0 }
}

for (const shape of Object.keys(shapes).filter(isShape)) {
  it.effect(
    // With work that grows as the square of their number, it ends at the limit of time.
    `${shape}: 20,000 of it are planned and deleted`,
    () =>
      Effect.gen(function* () {
        const count = 20_000
        const inventory = inventoryOf(shape, count)
        const rules = yield* rulesOf([], deleteEverything)
        const plan = yield* Effect.fromResult(Retention.plan(inventory, rules))
        assert.deepStrictEqual(
          [plan.frees.tags, plan.frees.manifests],
          [inventory.tags.length, inventory.manifests.length]
        )
        const report = yield* Retention.apply(targetOf(inventory), plan, rules, { maxAge: "100000 days" })
        assert.lengthOf(report.outcomes, inventory.manifests.length)
      }),
    60_000
  )
}
