/**
 * Migrations against registries that refuse requests, in virtual time.
 */
import type * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Migration from "../src/Migration.ts"
import * as MigrationReport from "../src/MigrationReport.ts"
import * as SqliteClient from "../src/SqliteClient.ts"
import { governed, passes, passing, type Traffic } from "./support/virtual.ts"
import { makeWorld, tagsOf } from "./support/world.ts"

/** Counts the answers of an emulator. */
const counting = () => {
  const answers: Array<{ readonly method: string; readonly status: number; readonly path: string }> = []
  const options: AcrEmulator.Options = {
    onRequest: ({ method, path, status }) => {
      answers.push({ method, status, path })
    }
  }
  return { answers, options, refused: () => answers.filter(({ status }) => status === 429).length }
}

const makeGoverned = Effect.fnUntraced(function* (
  options: Parameters<typeof makeWorld>[0],
  more: (emulators: Record<"source" | "target", AcrEmulator.Service>) => Record<string, unknown> = () => ({})
) {
  const world = yield* makeWorld(options)
  const traffic: Traffic = { requests: 0 }
  const rules = yield* world.decode(more(world))
  const services = Layer.mergeAll(
    governed(rules, traffic, world.source, world.target),
    NodeServices.layer,
    SqliteClient.layer({ filename: world.filename })
  )
  const migration = Stream.runDrain(Migration.run("test", rules)).pipe(Effect.provide(services))
  const plan = Effect.provide(Migration.plan(rules), services)
  const events: Array<Migration.Event> = []
  const emit = (...more: ReadonlyArray<Migration.Event>) => Effect.sync(() => void events.push(...more))
  return { ...world, migration, plan, passes: passes(rules, emit).pipe(Effect.provide(services)), events, traffic }
})

const images = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    repository: `shop/service-${index % 4}`,
    tags: [`1.${index}`],
    layers: [`layer ${index}`]
  }))

describe("a migration to a registry with the limits of ACR Standard", () => {
  it.effect("learns them: less than 1 % of its requests are refused, and nothing fails", () =>
    Effect.gen(function* () {
      const seen = counting()
      const world = yield* makeGoverned({ target: { tier: "standard", ...seen.options } })
      yield* world.seed(...images(400))
      yield* passing(world.traffic, world.migration)
      assert.isTrue(MigrationReport.isComplete(yield* world.status))
      assert.isTrue((yield* world.report).every(({ attempts, state }) => state === "verified" && attempts === 1))
      assert.isAbove(seen.refused(), 0)
      assert.isBelow(seen.refused() / seen.answers.length, 0.01)
    }).pipe(Effect.scoped)
  )
})

describe("the least duration of a plan", () => {
  const limits = [
    { name: "writes of the target", of: "target", limit: { write: 10 }, minutes: 2 },
    { name: "reads of the source", of: "source", limit: { read: 10 }, minutes: 2 }
  ] as const

  for (const { limit, minutes: least, name, of } of limits) {
    it.effect(`bounds a run with limited ${name}`, () =>
      Effect.gen(function* () {
        const world = yield* makeGoverned({}, (emulators) => ({
          limits: { registries: { [emulators[of].loginServer]: limit } },
          verify: { sample: 0 }
        }))
        // They share their blobs, so that a copy takes few requests.
        yield* world.seed(
          ...images(30).map((image, index) => ({ ...image, layers: [], annotations: { number: String(index) } }))
        )
        const { result } = yield* passing(world.traffic, world.plan)
        assert.strictEqual(Duration.toMinutes(result.leastDuration ?? Duration.zero), least)
        const { minutes } = yield* passing(world.traffic, world.passes, "10 seconds")
        assert.isAtLeast(minutes, least)
        assert.isTrue(MigrationReport.isComplete(yield* world.status))
      }).pipe(Effect.scoped)
    )
  }
})

/** Refuses requests until the time is over. Returns what they are refused with. */
const refuseFor = (
  emulator: AcrEmulator.Service,
  minutes: number,
  fault: { readonly path: RegExp; readonly method?: string }
) =>
  Effect.gen(function* () {
    const id = yield* emulator.inject({
      ...fault,
      times: "always",
      consequence: {
        _tag: "Answer",
        status: 429,
        headers: { "retry-after": "60" },
        body: '{"errors":[{"code":"TOOMANYREQUESTS","message":"too many requests"}]}'
      }
    })
    yield* Effect.forkScoped(Effect.andThen(Effect.sleep(minutes * 60_000), emulator.removeFault(id)))
  })

const isRead = (method: string) => method === "GET" || method === "HEAD"

describe("a migration while a registry refuses requests", () => {
  it.effect("waits for an hour where the source refuses all, and fails nothing", () =>
    Effect.gen(function* () {
      const seen = counting()
      const world = yield* makeGoverned({ source: seen.options })
      yield* world.seed(...images(12))
      yield* refuseFor(world.source, 60, { path: /^\/(v2|acr)\// })
      const { minutes } = yield* passing(world.traffic, world.passes)
      assert.isTrue(MigrationReport.isComplete(yield* world.status))
      assert.isTrue((yield* world.report).every(({ attempts, state }) => state === "verified" && attempts === 1))
      assert.isAtLeast(minutes, 60)
      assert.isBelow(minutes, 70)
      assert.isAtMost(seen.refused(), 120)
    }).pipe(Effect.scoped)
  )

  it.effect("tries again after an hour where the source asks to wait for years", () =>
    Effect.gen(function* () {
      const world = yield* makeGoverned({})
      yield* world.seed(...images(4))
      yield* world.source.inject({
        path: "/v2/_catalog",
        times: 1,
        consequence: { _tag: "Answer", status: 429, headers: { "retry-after": "1000000000" } }
      })
      const { minutes } = yield* passing(world.traffic, Effect.timeoutOption(world.passes, "3 hours"), "1 minute")
      assert.isTrue(MigrationReport.isComplete(yield* world.status))
      assert.isAtMost(minutes, 90)
    }).pipe(Effect.scoped)
  )

  it.effect("counts a record that cannot be read once, although its page is read twice", () =>
    Effect.gen(function* () {
      const world = yield* makeGoverned({})
      yield* world.seed(...images(4))
      const answer = { _tag: "Answer", status: 200 } as const
      const json = { "content-type": "application/json" }
      const path = /_catalog/
      const busy = { _tag: "Answer", status: 429, headers: { "retry-after": "120" } } as const
      const link = { link: '</v2/_catalog?last=shop/service-0&n=999>; rel="next"' }
      const first = JSON.stringify({ repositories: ["NOT A NAME", "shop/service-0"] })
      yield* world.source.inject({ path, skip: 1, times: 1, consequence: busy })
      yield* world.source.inject({
        path,
        times: 2,
        consequence: { ...answer, headers: { ...json, ...link }, body: first }
      })
      const last = JSON.stringify({ repositories: ["shop/service-1"] })
      yield* world.source.inject({ path, times: "always", consequence: { ...answer, headers: json, body: last } })
      const { minutes, result } = yield* passing(world.traffic, world.plan)
      assert.isAtLeast(minutes, 2)
      assert.deepEqual(
        result.problems.map(({ detail }) => detail),
        ["1 record of the list of repositories cannot be read, and is not copied"]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("waits for an hour where the target refuses writes, and reads both places meanwhile", () =>
    Effect.gen(function* () {
      const [source, target] = [counting(), counting()]
      const world = yield* makeGoverned({ source: source.options, target: target.options })
      yield* world.seed(...images(12))
      for (const method of ["POST", "PUT", "PATCH"]) {
        yield* refuseFor(world.target, 60, { method, path: /^\/v2\// })
      }
      let isGoing = false
      const looking = Effect.andThen(
        Effect.sleep("59 minutes"),
        Effect.sync(() => {
          isGoing =
            source.answers.some(({ path, status }) => status === 200 && path.includes("/manifests/")) &&
            target.answers.some(
              ({ method, path, status }) => isRead(method) && status === 404 && path.includes("/blobs/")
            )
        })
      )
      yield* Effect.forkScoped(looking)
      const { minutes } = yield* passing(world.traffic, world.passes)
      assert.isTrue(isGoing)
      assert.isTrue(MigrationReport.isComplete(yield* world.status))
      assert.deepEqual(yield* tagsOf(world.target), yield* tagsOf(world.source))
      assert.isBelow(minutes, 70)
      assert.isAtMost(target.refused(), 120)
      assert.isFalse(target.answers.some(({ method, status }) => method === "HEAD" && status === 429))
    }).pipe(Effect.scoped)
  )
})

/** Answers all writes below a path as a storage that is full does. */
const fail = (target: AcrEmulator.Service, path: string) =>
  Effect.forEach(["POST", "PUT", "PATCH"], (method) =>
    target.inject({ method, path, times: "always", consequence: { _tag: "Answer", status: 507 } })
  )

describe("a migration to a registry that fails", () => {
  it.effect("stops after a hundred artifacts instead of retrying all, and continues in the next run", () =>
    Effect.gen(function* () {
      const world = yield* makeGoverned({})
      yield* world.seed(...images(144))
      const faults = yield* fail(world.target, "/v2/")
      const { minutes, result } = yield* passing(world.traffic, Effect.flip(world.passes), "10 seconds")
      assert.deepInclude(result, { _tag: "MigrationError", problem: "PlaceFailed" })
      assert.match(String(result), /^.*96 artifacts of [34] repositories failed in a row/)
      assert.isBelow(minutes, 30)
      assert.isFalse(MigrationReport.isComplete(yield* world.status))

      yield* Effect.forEach(faults, world.target.removeFault)
      yield* passing(world.traffic, world.migration)
      assert.isTrue(MigrationReport.isComplete(yield* world.status))
    }).pipe(Effect.scoped)
  )

  it.effect("copies the other repositories where one is broken, and leaves the rest of that one to the next run", () =>
    Effect.gen(function* () {
      const world = yield* makeGoverned({})
      yield* world.seed(...images(240).filter(({ repository }, index) => repository === "shop/service-1" || index < 40))
      yield* fail(world.target, "/v2/shop/service-1/")
      const { minutes } = yield* passing(world.traffic, world.passes, "10 seconds")
      const outcomes = yield* world.report
      const broken = outcomes.filter(({ source }) => source === "shop/service-1")
      assert.isTrue(outcomes.every(({ source, state }) => source === "shop/service-1" || state === "verified"))
      assert.isTrue(broken.every(({ class: kind, state }) => state === "failed" && kind === "transient"))
      const untried = broken.filter(({ detail = "" }) => /^not tried, after \d+ failures/.test(detail))
      assert.isAtLeast(untried.length, 15)
      assert.isAtLeast(untried.filter(({ attempts }) => attempts === 0).length, 10)
      assert.isTrue(broken.every((one) => untried.includes(one) || one.attempts > 0))
      // Each of the artifacts that were tried was tried again three times.
      const again = world.events.flatMap((event) => (event._tag === "AttemptFailed" ? [event.source] : []))
      assert.isTrue(again.every((source) => source === "shop/service-1"))
      assert.strictEqual(again.length, 3 * broken.reduce((sum, { attempts }) => sum + attempts, 0))
      assert.isBelow(minutes, 30)
    }).pipe(Effect.scoped)
  )
})
