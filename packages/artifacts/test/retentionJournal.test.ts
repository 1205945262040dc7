/**
 * Runs that are interrupted, and resumed from a journal in a file.
 */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs"
import { RegistryError, Unavailable } from "@effect-acr/client/RegistryError"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Retention from "../src/Retention.ts"
import type { RetentionJournal } from "../src/RetentionJournal.ts"
import { RetentionError } from "../src/RetentionError.ts"
import * as Journal from "../src/RetentionJournal.ts"
import * as RetentionReport from "../src/RetentionReport.ts"
import { layer as platform } from "./support/layouts.ts"
import { image, index, planFor, referrer, rulesOf, signatureTag } from "./support/retention.ts"
import { holding, tagged } from "./support/retentionPlans.ts"

const amd64 = image("amd64")
const arm64 = image("arm64")
const app = index("app", [amd64, arm64])
const signature = referrer("signature", app)
const cosigned = image("signature by cosign")

/** A release with its signatures, a single tag, and what is kept. */
const planned = Effect.gen(function* () {
  const held = yield* holding([
    ...[amd64, arm64].map((manifest) => ({ manifest, age: 60 })),
    { manifest: app, tags: ["v1"], age: 60 },
    { manifest: signature, age: 60 },
    { manifest: cosigned, tags: [signatureTag(app)], age: 60 },
    { manifest: image("kept"), tags: ["kept", "v2"], age: 60 }
  ])
  const rules = yield* rulesOf([{ tags: ["v*"], action: "delete" }])
  const plan = yield* planFor(held, rules)
  const apply = (journal?: RetentionJournal) =>
    Retention.apply(held.target, plan, rules, { concurrency: 1, ...(journal === undefined ? {} : { journal }) })
  return { held, plan, apply }
}).pipe(Effect.orDie)

/** The path of a missing file, in a folder that is removed after the test. */
const journalPath = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  return path.join(yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-journal-" }), "journal")
})

const open = Journal.file

layer(platform)("a journal", (it) => {
  it.effect("resumes a run that was interrupted at any request: nothing is sent twice, nothing is forgotten", () =>
    Effect.gen(function* () {
      const whole = yield* planned
      whole.held.requests.length = 0
      yield* whole.apply()
      const { length } = whole.held.requests
      assert.isAbove(length, 10)
      for (let at = 0; at < length; at++) {
        const { apply, held } = yield* planned
        const path = yield* journalPath
        held.requests.length = 0
        held.before = () => (held.requests.length > at ? Effect.interrupt : Effect.void)
        yield* Effect.exit(Effect.scoped(Effect.flatMap(open(path), apply)))
        held.before = () => Effect.void
        const report = yield* Effect.scoped(Effect.flatMap(open(path), apply))
        assert.strictEqual(RetentionReport.status(report), "done", `at ${at}`)
        assert.deepStrictEqual(Array.from(held.tags().keys()), ["kept"], `at ${at}`)
        assert.strictEqual(held.digests().size, 1, `at ${at}`)
        // The interrupted request was not carried out, so it is sent again.
        const sent = held.requests
          .filter((_, position) => position !== at)
          .filter(({ name }) => name === "deleteTag" || name === "deleteManifest")
          .map(({ subject }) => subject)
        assert.lengthOf(sent, new Set(sent).size, `at ${at}`)
        assert.lengthOf(report.restore, 6, `at ${at}`)
      }
    })
  )

  it.effect("of a complete run makes the next one delete nothing", () =>
    Effect.gen(function* () {
      const { apply, held } = yield* planned
      const path = yield* journalPath
      const first = yield* Effect.scoped(Effect.flatMap(open(path), apply))
      held.requests.length = 0
      const second = yield* Effect.scoped(Effect.flatMap(open(path), apply))
      assert.deepStrictEqual(second.outcomes, first.outcomes)
      assert.isFalse(held.requests.some(({ name }) => ["look", "tag", "deleteTag", "deleteManifest"].includes(name)))
    })
  )

  it.effect("makes the run check again what was not deleted", () =>
    Effect.gen(function* () {
      const { apply, held } = yield* planned
      const path = yield* journalPath
      held.before = ({ name, subject }) =>
        name === "deleteManifest" && subject === app.descriptor.digest
          ? Effect.fail(
              new RegistryError({
                operation: "test",
                reason: new Unavailable({ description: "away", code: "ECONNRESET" })
              })
            )
          : Effect.void
      const first = yield* Effect.scoped(Effect.flatMap(open(path), apply))
      assert.strictEqual(RetentionReport.status(first), "failed")
      held.before = () => Effect.void
      const second = yield* Effect.scoped(Effect.flatMap(open(path), apply))
      assert.strictEqual(RetentionReport.status(second), "done")
      assert.strictEqual(held.digests().size, 1)
    })
  )

  it.effect("whose last line was truncated anywhere is read without it", () =>
    Effect.gen(function* () {
      const { apply, plan } = yield* planned
      const path = yield* journalPath
      yield* Effect.scoped(Effect.flatMap(open(path), apply))
      const text = readFileSync(path, "utf8")
      const lines = text.split("\n").length - 2
      // Not each byte, to save time.
      for (let length = 0; length < text.length; length += 7) {
        writeFileSync(path, text.slice(0, length))
        const earlier = yield* Effect.scoped(Effect.flatMap(open(path), ({ begin }) => begin(plan)))
        // The first line is the header. A line is whole without its end.
        const whole = Math.max(0, text.slice(0, length).split("\n").length - 2)
        assert.include([whole, whole + 1], earlier.length)
        assert.isAtMost(earlier.length, lines)
        // The next record begins on its own line.
        const after = readFileSync(path, "utf8")
        assert.isTrue(after.endsWith("\n"))
      }
    })
  )

  it.effect("continues on a new line after a truncated one", () =>
    Effect.gen(function* () {
      const { apply, held } = yield* planned
      const path = yield* journalPath
      held.before = ({ name }) => (name === "deleteManifest" ? Effect.interrupt : Effect.void)
      yield* Effect.exit(Effect.scoped(Effect.flatMap(open(path), apply)))
      held.before = () => Effect.void
      appendFileSync(path, '{"digest":"sha256:0')
      yield* Effect.scoped(Effect.flatMap(open(path), apply))
      const second = yield* Effect.scoped(Effect.flatMap(open(path), apply))
      assert.strictEqual(RetentionReport.status(second), "done")
      assert.lengthOf(
        readFileSync(path, "utf8")
          .split("\n")
          .filter((line) => line.endsWith("}")),
        1 + second.outcomes.length
      )
    })
  )

  it.effect("of another plan is refused, and stays unchanged", () =>
    Effect.gen(function* () {
      const { plan } = yield* planned
      const path = yield* journalPath
      yield* Effect.scoped(Effect.flatMap(open(path), ({ begin }) => begin(plan)))
      const before = readFileSync(path, "utf8")
      const others = [
        { ...plan, repository: "other" },
        { ...plan, tags: plan.tags.slice(1) },
        { ...plan, warnings: ["another"] }
      ]
      for (const other of others) {
        const error = yield* Effect.flip(Effect.scoped(Effect.flatMap(open(path), ({ begin }) => begin(other))))
        assert.strictEqual(error.problem, "OtherPlan")
      }
      assert.strictEqual(readFileSync(path, "utf8"), before)
    })
  )

  it.effect("refuses a file that is not a journal, and leaves it unchanged", () =>
    Effect.gen(function* () {
      const { apply, held } = yield* planned
      const path = yield* journalPath
      held.requests.length = 0
      for (const text of ["my notes\n", "{}\n", "\n\n", '{"registry":1}\n{"digest":2}\n']) {
        writeFileSync(path, text)
        const error = yield* Effect.flip(Effect.scoped(Effect.flatMap(open(path), apply)))
        assert.deepInclude(error, { _tag: "RetentionError", problem: "OtherPlan" })
        assert.strictEqual(readFileSync(path, "utf8"), text)
      }
      assert.isFalse(held.requests.some(({ name }) => name === "deleteTag" || name === "deleteManifest"))
    })
  )

  it.effect("that cannot be opened fails with that reason", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(open(`${yield* journalPath}/not/there`)))
      assert.strictEqual(error.problem, "JournalFailed")
    })
  )

  it.effect("that cannot be written ends the run, whose report has what was done", () =>
    Effect.gen(function* () {
      const { held, plan } = yield* planned
      const rules = yield* rulesOf([{ tags: ["v*"], action: "delete" }])
      const journal: RetentionJournal = {
        begin: () => Effect.succeed([]),
        record: () => Effect.fail(new RetentionError({ problem: "JournalFailed", description: "the disk is full" }))
      }
      const report = yield* Retention.apply(held.target, plan, rules, { journal, concurrency: 1 })
      assert.strictEqual(report.stopped, "the disk is full")
      assert.deepStrictEqual(
        report.outcomes.map(({ outcome }) => outcome).toSorted(),
        ["done", ...Array.from({ length: report.outcomes.length - 1 }, () => "notReached")].toSorted()
      )
    })
  )

  it.effect("takes lines of many deletions at once", () =>
    Effect.gen(function* () {
      const held = yield* holding(tagged(Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`v${at}`, 60]))))
      const rules = yield* rulesOf([{ action: "delete" }])
      const plan = yield* planFor(held, rules)
      const path = yield* journalPath
      yield* Effect.scoped(
        Effect.flatMap(open(path), (journal) => Retention.apply(held.target, plan, rules, { journal, concurrency: 16 }))
      )
      const earlier = yield* Effect.scoped(Effect.flatMap(open(path), ({ begin }) => begin(plan)))
      assert.lengthOf(earlier, 40)
    })
  )
})
