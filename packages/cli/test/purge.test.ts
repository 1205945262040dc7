/**
 * Deletion by rules, and the trash.
 */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { loggedIn } from "./support/registry.ts"

const emulator = AcrEmulator.layer({ softDelete: { retention: "7 days" } })

/** Images of some builds, the last of which is an hour old, and one image without a tag. */
const builds = Effect.fnUntraced(function* (repository: string, count: number) {
  const { seed } = yield* AcrEmulator.AcrEmulator
  const digests = yield* Effect.forEach(
    Array.from({ length: count }, (_, index) => index),
    (index) =>
      seed({
        repository,
        tags: [`build-${index + 1}`],
        labels: { build: `${repository} ${index}` },
        pushedAt: Duration.days(40 - index)
      })
  )
  const untagged = yield* seed({
    repository,
    tags: [],
    labels: { build: `${repository} none` },
    pushedAt: Duration.days(40)
  })
  return { digests, untagged }
})

const tagsOf = (repository: string) =>
  Effect.map(loggedIn(["ls", `$REGISTRY/${repository}`]), ({ stdout }) => stdout.trim().split("\n"))

const temporary = () => mkdtempSync(join(tmpdir(), "effect-acr-purge-"))

layer(emulator, { excludeTestServices: true })("purge", (it) => {
  describe("without a file of rules", () => {
    it.effect("deletes what has no tag, and restores it from the trash", () =>
      Effect.gen(function* () {
        const { untagged } = yield* builds("purge/untagged", 2)
        const shown = yield* loggedIn(["purge", "$REGISTRY/purge/untagged", "--untagged", "--dry-run"])
        assert.include(shown.stdout, `delete  ${untagged}`)
        const { code, stdout } = yield* loggedIn(["purge", "$REGISTRY/purge/untagged", "--untagged", "--yes"])
        assert.strictEqual(code, 0)
        assert.include(stdout, `done\t${untagged}`)

        const trash = yield* loggedIn(["trash", "ls", "$REGISTRY/purge/untagged"])
        assert.include(trash.stdout, untagged)
        const foreseen = yield* loggedIn(["trash", "restore", "--dry-run", `$REGISTRY/purge/untagged@${untagged}`])
        assert.strictEqual(foreseen.stdout, `restored\t${untagged}\n`)
        assert.include((yield* loggedIn(["trash", "ls", "$REGISTRY/purge/untagged"])).stdout, untagged)
        const restored = yield* loggedIn(["trash", "restore", `$REGISTRY/purge/untagged@${untagged}`])
        assert.deepStrictEqual(restored, { code: 0, stdout: `restored\t${untagged}\n`, stderr: "" })
      })
    )

    it.effect("keeps the newest tags of a pattern", () =>
      Effect.gen(function* () {
        yield* builds("purge/newest", 4)
        const args = ["purge", "$REGISTRY/purge/newest", "--tags", "build-*", "--keep", "2", "--older-than", "7d"]
        const { code } = yield* loggedIn([...args, "--yes"])
        assert.strictEqual(code, 0)
        assert.deepStrictEqual(yield* tagsOf("purge/newest"), ["build-3", "build-4"])
      })
    )

    it.effect("asks, and without a terminal needs --yes", () =>
      Effect.gen(function* () {
        yield* builds("purge/asks", 2)
        const { code, stderr, stdout } = yield* loggedIn(["purge", "$REGISTRY/purge/asks", "--untagged"])
        assert.deepStrictEqual({ code, stdout }, { code: 2, stdout: "" })
        assert.include(stderr, "--yes")
      })
    )

    it.effect("wants to know what to delete", () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* loggedIn(["purge", "$REGISTRY/purge/any"])
        assert.strictEqual(code, 2)
        assert.include(stderr, "--untagged")
      })
    )

    it.effect("refuses a plan beyond the limits with 9, and deletes nothing", () =>
      Effect.gen(function* () {
        yield* builds("purge/limits", 3)
        const { code } = yield* loggedIn(["purge", "$REGISTRY/purge/limits", "--tags", "build-*", "--yes"])
        assert.strictEqual(code, 9)
        assert.lengthOf(yield* tagsOf("purge/limits"), 3)
      })
    )
  })

  describe("with a plan in a file", () => {
    it.effect("writes it, deletes nothing, and carries it out later", () =>
      Effect.gen(function* () {
        const { untagged } = yield* builds("purge/plan", 2)
        const file = join(temporary(), "plan.json")
        const planned = yield* loggedIn(["purge", "$REGISTRY/purge/plan", "--untagged", "--plan", file])
        assert.strictEqual(planned.code, 0)
        assert.strictEqual(JSON.parse(readFileSync(file, "utf8")).plans.length, 1)
        const there = yield* loggedIn(["digest", `$REGISTRY/purge/plan@${untagged}`])
        assert.strictEqual(there.code, 0)

        const { code, stdout } = yield* loggedIn(["purge", "--apply", file])
        assert.strictEqual(code, 0)
        assert.include(stdout, `done\t${untagged}`)
      })
    )

    it.effect("answers 3 if a part stays since it changed", () =>
      Effect.gen(function* () {
        const { untagged } = yield* builds("purge/changed", 2)
        const file = join(temporary(), "plan.json")
        yield* loggedIn(["purge", "$REGISTRY/purge/changed", "--untagged", "--plan", file])
        yield* loggedIn(["tag", `$REGISTRY/purge/changed@${untagged}`, "needed"])
        const { code, stdout } = yield* loggedIn(["purge", "--apply", file])
        assert.strictEqual(code, 3)
        assert.include(stdout, `changed\t${untagged}`)
      })
    )

    it.effect("refuses a file that is no plan", () =>
      Effect.gen(function* () {
        const file = join(temporary(), "plan.json")
        writeFileSync(file, "{}")
        const { code, stderr } = yield* loggedIn(["purge", "--apply", file])
        assert.strictEqual(code, 2)
        assert.include(stderr, "no plan")
      })
    )
  })
})
