/**
 * Questions on a terminal, and what an interruption leaves.
 */
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { onTerminal, start } from "./support/command.ts"
import { loggedIn } from "./support/registry.ts"

const limit = 120_000

const image = (repository: string, tags: ReadonlyArray<string>) =>
  Effect.flatMap(AcrEmulator.AcrEmulator, ({ seed }) => seed({ repository, tags }))

const tagsOf = (repository: string) =>
  Effect.map(loggedIn(["ls", `$REGISTRY/${repository}`]), ({ stdout }) => stdout.trim().split("\n"))

const asked = (repository: string) =>
  Effect.gen(function* () {
    const shown = yield* onTerminal(["rm", "--manifest", `$REGISTRY/${repository}:v1`], { columns: 200 })
    yield* shown.until(({ stdout }) => stdout.includes("Delete them?"))
    return shown
  })

const old = { build: "old" }

/** Deletions of such a path are not answered. `reached` waits for one. */
const stallDeletion = Effect.fnUntraced(function* (path: RegExp) {
  const emulator = yield* AcrEmulator.AcrEmulator
  const stalled = yield* emulator.inject({ method: "DELETE", path, times: "always", consequence: { _tag: "Stall" } })
  const isReached = Effect.map(emulator.faults, (faults) => faults.some(({ hit, id }) => id === stalled && hit > 0))
  return { reached: Effect.repeat(Effect.sleep("20 millis"), { until: () => isReached }) }
})

layer(AcrEmulator.layer(), { excludeTestServices: true })("a question", (it) => {
  it.effect(
    "of the wizard is left by Ctrl-C, which is no success",
    () =>
      Effect.gen(function* () {
        const shown = yield* onTerminal(["--wizard"], { columns: 100 })
        yield* shown.until(({ stdout }) => stdout.includes("tree"))
        yield* shown.type("\u0003")
        assert.strictEqual(yield* shown.ended, 130)
      }),
    limit
  )

  describe("of rm", () => {
    it.effect(
      "deletes after yes, and nothing after no or Ctrl-C",
      () =>
        Effect.gen(function* () {
          yield* image("ask/answers", ["v1", "stable"])
          const no = yield* asked("ask/answers")
          assert.include(no.shown(), "tags stable, v1")
          yield* no.type("n")
          assert.strictEqual(yield* no.ended, 10)
          assert.include(no.shown(), "kept")
          const interrupted = yield* asked("ask/answers")
          yield* interrupted.type("\u0003")
          assert.strictEqual(yield* interrupted.ended, 130)
          assert.deepStrictEqual(yield* tagsOf("ask/answers"), ["stable", "v1"])
          const yes = yield* asked("ask/answers")
          yield* yes.type("y")
          assert.strictEqual(yield* yes.ended, 0)
          assert.deepStrictEqual(yield* tagsOf("ask/answers"), [""])
        }),
      limit
    )

    it.effect(
      "keeps a manifest that has come to have another tag meanwhile",
      () =>
        Effect.gen(function* () {
          yield* image("ask/late", ["v1"])
          const shown = yield* asked("ask/late")
          yield* loggedIn(["tag", "$REGISTRY/ask/late:v1", "late"])
          yield* shown.type("y")
          assert.strictEqual(yield* shown.ended, 9)
          assert.include(shown.shown(), "it got the tag late")
          assert.deepStrictEqual(yield* tagsOf("ask/late"), ["late", "v1"])
        }),
      limit
    )
  })

  it.effect(
    "of purge --apply shows the plan and asks",
    () =>
      Effect.gen(function* () {
        const { seed } = yield* AcrEmulator.AcrEmulator
        yield* image("ask/purge", ["v1"])
        const digest = yield* seed({ repository: "ask/purge", tags: [], labels: old, pushedAt: Duration.days(40) })
        const file = join(mkdtempSync(join(tmpdir(), "effect-acr-ask-")), "plan.json")
        yield* loggedIn(["purge", "$REGISTRY/ask/purge", "--untagged", "--plan", file])
        const shown = yield* onTerminal(["purge", "--apply", file], { columns: 200 })
        yield* shown.until(({ stdout }) => stdout.includes("Delete 1 tags and manifests?"))
        assert.include(shown.shown(), `delete  ${digest}`)
        yield* shown.type("n")
        assert.strictEqual(yield* shown.ended, 10)
        assert.strictEqual((yield* loggedIn(["digest", `$REGISTRY/ask/purge@${digest}`])).code, 0)
      }),
    limit
  )

  describe("that was answered, and is interrupted in the middle,", () => {
    it.effect(
      "says which tags rm deleted",
      () =>
        Effect.gen(function* () {
          yield* image("ask/several", ["v1", "v2", "v3"])
          const { reached } = yield* stallDeletion(/several.*v2$/)
          const started = yield* start(["rm", ...["v1", "v2", "v3"].map((tag) => `$REGISTRY/ask/several:${tag}`)])
          yield* reached
          started.process.kill("SIGINT")
          assert.strictEqual(yield* started.ended, 130)
          assert.match(started.stdout(), /:v1\tdeleted\t\S+\n\S+:v2\tunknown\n\S+:v3\tnotReached\n$/)
        }),
      limit
    )

    it.effect(
      "says what purge deleted",
      () =>
        Effect.gen(function* () {
          const { seed } = yield* AcrEmulator.AcrEmulator
          yield* Effect.forEach(["v1", "v2"], (tag) =>
            seed({ repository: "ask/stopped", tags: [tag], labels: { tag } })
          )
          const digests = yield* Effect.forEach(["one", "two"], (build) =>
            seed({ repository: "ask/stopped", tags: [], labels: { build }, pushedAt: Duration.days(40) })
          )
          const [first = "", second = ""] = digests.toSorted()
          const [, hex] = second.split(":")
          const { reached } = yield* stallDeletion(new RegExp(`${hex}$`))
          const started = yield* start(["purge", "$REGISTRY/ask/stopped", "--untagged", "--yes"])
          yield* reached
          started.process.kill("SIGINT")
          assert.strictEqual(yield* started.ended, 130)
          // Both were under way.
          assert.match(started.stdout(), new RegExp(`(?:done|failed)\t${first}`))
          assert.include(started.stdout(), `failed\t${second}\tit was interrupted: it may be deleted`)
          assert.include(started.stdout(), "stopped\tit was interrupted")
        }),
      limit
    )
  })
})
