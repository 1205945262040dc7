/**
 * Deletion by rules, and the trash.
 */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
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
    it.effect("deletes untagged manifests, and restores them from the trash", () =>
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
        assert.strictEqual(foreseen.stdout, `would be restored\t${untagged}\n`)
        assert.include((yield* loggedIn(["trash", "ls", "$REGISTRY/purge/untagged"])).stdout, untagged)
        const restored = yield* loggedIn(["trash", "restore", `$REGISTRY/purge/untagged@${untagged}`])
        assert.deepStrictEqual(restored, { code: 0, stdout: `restored\t${untagged}\n`, stderr: "" })
      })
    )

    it.effect("foresees a tag of the trash that names something else now", () =>
      Effect.gen(function* () {
        const { seed } = yield* AcrEmulator.AcrEmulator
        const digest = yield* seed({ repository: "trash/taken", tags: ["v1"] })
        yield* loggedIn(["rm", "--manifest", "--yes", "$REGISTRY/trash/taken:v1"])
        yield* seed({ repository: "trash/taken", tags: ["v1"], layers: [{ content: "another" }] })
        const dry = yield* loggedIn(["trash", "restore", "--dry-run", `$REGISTRY/trash/taken@${digest}`])
        assert.deepStrictEqual([dry.code, dry.stdout], [3, `would be restored\t${digest}\ntaken\tv1\n`])
        assert.strictEqual((yield* loggedIn(["trash", "restore", `$REGISTRY/trash/taken@${digest}`])).code, 3)
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

    it.effect("requires flags or rules that say what to delete", () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* loggedIn(["purge", "$REGISTRY/purge/any"])
        assert.strictEqual(code, 2)
        assert.include(stderr, "--untagged")
      })
    )

    it.effect("refuses flags that belong to others, tags in the name and whole registries without rules", () =>
      Effect.gen(function* () {
        yield* builds("purge/wrong", 2)
        const refused = [
          [["purge", "$REGISTRY/purge/wrong", "--untagged", "--keep", "2"], "--tags"],
          [["purge", "$REGISTRY/purge/wrong", "--tags", "build-*", "--keep", "-1"], "0 or more"],
          [["purge", "$REGISTRY/purge/wrong:build-1", "--untagged"], "eacr rm"],
          [["purge", "$REGISTRY", "--untagged"], "--rules"],
          [["purge", "$REGISTRY/purge/wrong", "--rules", "rules.json", "--older-than", "30d"], "not in both"],
          [["purge", "--apply", "plan.json", "--older-than", "30d", "--keep", "3"], "--apply"],
          [["purge", "$REGISTRY/purge/wrong", "--untagged", "--dry-run", "--plan", "plan.json"], "--plan"]
        ] as const
        for (const [args, words] of refused) {
          const { code, stderr } = yield* loggedIn([...args, "--yes"])
          assert.strictEqual(code, 2, args.join(" "))
          assert.include(stderr, words)
        }
      })
    )

    it.effect("exits with 4 if a repository does not exist", () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* loggedIn(["purge", "$REGISTRY/purge/missing", "--untagged", "--yes"])
        assert.strictEqual(code, 4)
        assert.include(stderr, "does it exist?")
      })
    )

    it.effect("reports why nothing is deleted", () =>
      Effect.gen(function* () {
        const { seed } = yield* AcrEmulator.AcrEmulator
        yield* seed({ repository: "purge/young", tags: ["v1"] })
        yield* seed({ repository: "purge/young", tags: [], labels: { build: "young" } })
        const { code, stderr, stdout } = yield* loggedIn(["purge", "$REGISTRY/purge/young", "--untagged"])
        assert.strictEqual(code, 0)
        assert.match(stdout, /purge\/young\tnothing to delete\n$/)
        assert.include(stderr, "kept: 1 tag: no flag names it\n")
        assert.include(stderr, "kept: 1 manifest: it is younger than the safety age\n")
      })
    )

    it.effect("reports that matching tags are younger than the requested age", () =>
      Effect.gen(function* () {
        yield* builds("purge/age", 2)
        const flags = ["--tags", "build-*", "--untagged", "--older-than", "60d"]
        const { code, stderr } = yield* loggedIn(["purge", "$REGISTRY/purge/age", ...flags])
        assert.strictEqual(code, 0)
        assert.include(stderr, "kept: 2 tags: it is younger than --older-than\n")
        assert.include(stderr, "kept: 2 manifests: a tag that stays names it\n")
        assert.include(stderr, "kept: 1 manifest: it is younger than --older-than\n")
      })
    )

    it.effect("counts the reasons that it does not list", () =>
      Effect.gen(function* () {
        const { seed } = yield* AcrEmulator.AcrEmulator
        const rules = Array.from({ length: 7 }, (_, index) => ({
          name: `keep-${index}`,
          because: `reason ${index}`,
          of: ["tags"],
          tags: [`v${index}`],
          action: "keep"
        }))
        for (const index of rules.keys()) yield* seed({ repository: "purge/reasons", tags: [`v${index}`] })
        const keep = { action: "keep", because: "nothing else" }
        const file = join(temporary(), "rules.json")
        writeFileSync(
          file,
          JSON.stringify({ repositories: ["**"], defaults: { tags: keep, untagged: keep, orphans: keep }, rules })
        )
        const { stderr } = yield* loggedIn(["purge", "$REGISTRY/purge/reasons", "--rules", file])
        assert.include(stderr, "kept: 2 tags for other reasons, which --dry-run shows\n")
      })
    )

    it.effect("warns that signatures without a tag stay in the trash", () =>
      Effect.gen(function* () {
        const { seed } = yield* AcrEmulator.AcrEmulator
        const referrers = [{ artifactType: "application/spdx+json" }]
        yield* seed({ repository: "trash/signed", tags: ["v1"], referrers })
        yield* loggedIn(["rm", "--manifest", "--yes", "$REGISTRY/trash/signed:v1"])
        const { code, stderr } = yield* loggedIn(["trash", "restore", "$REGISTRY/trash/signed:v1"])
        assert.strictEqual(code, 0)
        assert.match(stderr, /^warning: 1 manifest stays in the trash of .+\/trash\/signed\. Signatures and SBOMs/)
      })
    )

    it.effect("says of an empty trash that soft delete may be off", () =>
      Effect.gen(function* () {
        const { seed } = yield* AcrEmulator.AcrEmulator
        yield* seed({ repository: "trash/none", tags: ["v1"] })
        const { code, stderr, stdout } = yield* loggedIn(["trash", "ls", "$REGISTRY/trash/none"])
        assert.deepStrictEqual({ code, stdout }, { code: 0, stdout: "" })
        assert.match(stderr, /^the trash is empty: .*soft delete is off/)
        assert.strictEqual((yield* loggedIn(["trash", "ls", "-q", "$REGISTRY/trash/none"])).stderr, "")
        yield* loggedIn(["rm", "--manifest", "--yes", "$REGISTRY/trash/none:v1"])
        assert.strictEqual((yield* loggedIn(["trash", "ls", "$REGISTRY/trash/none"])).stderr, "")
      })
    )

    it.effect("refuses a plan beyond the limits with 9, and deletes nothing", () =>
      Effect.gen(function* () {
        yield* builds("purge/limits", 3)
        const purge = ["purge", "$REGISTRY/purge/limits", "--tags", "build-*"]
        const { code, stderr } = yield* loggedIn([...purge, "--yes"])
        assert.strictEqual(code, 9)
        assert.include(
          stderr,
          "--dry-run, in place of --yes, shows what would be deleted. If that is meant: only --rules FILE"
        )
        const all = yield* loggedIn([...purge, "--max-fraction", "1", "--yes"])
        assert.strictEqual(all.code, 9)
        assert.include(all.stderr, "it leaves 0 tags, fewer than minRemaining 1\n")
        assert.include(all.stderr, "only --rules FILE, in place of --tags and --untagged, sets minRemaining")
        const dry = yield* loggedIn([...purge, "--dry-run"])
        assert.strictEqual(dry.code, 9)
        assert.include(dry.stdout, "exceeds its limits")
        assert.lengthOf(yield* tagsOf("purge/limits"), 3)
      })
    )

    it.effect("explains where a regular expression belongs", () =>
      Effect.gen(function* () {
        yield* builds("purge/pattern", 1)
        const { code, stderr } = yield* loggedIn(["purge", "$REGISTRY/purge/pattern", "--tags", "^x$", "--yes"])
        assert.strictEqual(code, 2)
        assert.include(stderr, 'the glob "^x$" cannot be meant: it has characters that no name has\n')
        assert.include(stderr, "  --tags takes globs; regular expressions belong in --rules FILE\n")
        assert.notInclude(stderr, "regex")
      })
    )

    it.effect("names the fraction that a call needs, once one has seen what it deletes", () =>
      Effect.gen(function* () {
        yield* builds("purge/needed", 3)
        const purge = ["purge", "$REGISTRY/purge/needed", "--tags", "build-*", "--keep", "1"]
        const { code, stderr } = yield* loggedIn([...purge, "--yes"])
        assert.strictEqual(code, 9)
        assert.include(
          stderr,
          "--dry-run, in place of --yes, shows what would be deleted. If that is meant: --max-fraction 0.67 allows it\n"
        )
        assert.strictEqual((yield* loggedIn([...purge, "--max-fraction", "0.66", "--yes"])).code, 9)
        assert.strictEqual((yield* loggedIn([...purge, "--max-fraction", "0.67", "--yes"])).code, 0)
      })
    )

    it.effect(
      "says that a plan which exceeds its limits cannot be applied, and that limits are those of its rules",
      () =>
        Effect.gen(function* () {
          yield* builds("purge/beyond", 3)
          const file = join(temporary(), "plan.json")
          const purge = ["purge", "$REGISTRY/purge/beyond", "--tags", "build-*", "--keep", "1"]
          const { code, stderr } = yield* loggedIn([...purge, "--plan", file])
          assert.strictEqual(code, 9)
          assert.strictEqual(stderr, `the plan is in ${file}. It cannot be applied, because it exceeds its limits\n`)
          const applied = yield* loggedIn(["purge", "--apply", file, "--yes"])
          assert.strictEqual(applied.code, 9)
          assert.include(
            applied.stderr,
            `eacr purge --apply ${file} --dry-run shows what would be deleted. If that is meant, make`
          )
        })
    )

    it.effect("deletes at most the fraction that the call allows", () =>
      Effect.gen(function* () {
        yield* builds("purge/fraction", 5)
        const purge = ["purge", "$REGISTRY/purge/fraction", "--tags", "build-*", "--keep", "1", "--dry-run"]
        assert.strictEqual((yield* loggedIn([...purge, "--max-fraction", "0.79"])).code, 9)
        assert.strictEqual((yield* loggedIn([...purge, "--max-fraction", "0.8"])).code, 0)
        const wrong = yield* loggedIn([...purge, "--max-fraction", "80"])
        assert.strictEqual(wrong.code, 2)
        assert.include(wrong.stderr, "Expected a fraction from 0 to 1, such as 0.8, got 80")
      })
    )
  })

  describe("with a plan in a file", () => {
    it.effect("writes it, deletes nothing, and applies it later", () =>
      Effect.gen(function* () {
        const { untagged } = yield* builds("purge/plan", 2)
        const file = join(temporary(), "plan.json")
        const planned = yield* loggedIn(["purge", "$REGISTRY/purge/plan", "--untagged", "--plan", file])
        assert.strictEqual(planned.code, 0)
        assert.include(planned.stderr, `eacr purge --apply ${file} --yes\n`)
        assert.strictEqual(JSON.parse(readFileSync(file, "utf8")).plans.length, 1)
        const there = yield* loggedIn(["digest", `$REGISTRY/purge/plan@${untagged}`])
        assert.strictEqual(there.code, 0)

        assert.strictEqual((yield* loggedIn(["purge", "--apply", file])).code, 2)
        assert.strictEqual((yield* loggedIn(["digest", `$REGISTRY/purge/plan@${untagged}`])).code, 0)
        const { code, stdout } = yield* loggedIn(["purge", "--apply", file, "--yes"])
        assert.strictEqual(code, 0)
        assert.include(stdout, `done\t${untagged}`)
      })
    )

    it.effect("applies the second of two plans if the first is too old, and reports both outcomes", () =>
      Effect.gen(function* () {
        const first = yield* builds("purge/old", 2)
        const second = yield* builds("purge/fresh", 2)
        const folder = temporary()
        const file = (name: string) => join(folder, name)
        yield* loggedIn(["purge", "$REGISTRY/purge/old", "--untagged", "--plan", file("old.json")])
        yield* loggedIn(["purge", "$REGISTRY/purge/fresh", "--untagged", "--plan", file("fresh.json")])
        const planOf = (name: string) => JSON.parse(readFileSync(file(name), "utf8")).plans[0]
        const old = planOf("old.json")
        const plans = [{ ...old, at: new Date(Date.parse(old.at) - 7_200_000).toISOString() }, planOf("fresh.json")]
        writeFileSync(file("both.json"), JSON.stringify({ version: 1, plans }))
        const { code, stderr, stdout } = yield* loggedIn(["purge", "--apply", file("both.json"), "--yes", "--json"])
        assert.strictEqual(code, 3)
        assert.include(stderr, "make a new one")
        const { failed, reports } = JSON.parse(stdout)
        assert.match(failed[0].repository, /purge\/old$/)
        assert.strictEqual(reports[0].outcomes[0].digest, second.untagged)
        assert.strictEqual((yield* loggedIn(["digest", `$REGISTRY/purge/old@${first.untagged}`])).code, 0)
      })
    )

    it.effect("refuses with 9 a plan that was edited to delete more, and counts what it deletes", () =>
      Effect.gen(function* () {
        const { digests, untagged } = yield* builds("purge/edited", 3)
        const file = join(temporary(), "plan.json")
        yield* loggedIn(["purge", "$REGISTRY/purge/edited", "--untagged", "--plan", file])
        const text = readFileSync(file, "utf8")
        const document = JSON.parse(text)
        const [plan] = document.plans
        const edit = (thing: { readonly name?: string; readonly digest: string }) =>
          thing.digest === digests[0] ? { ...thing, verdict: "delete" } : thing
        const edited = { ...plan, tags: plan.tags.map(edit), manifests: plan.manifests.map(edit) }
        writeFileSync(file, JSON.stringify({ ...document, plans: [edited] }))
        const refused = yield* loggedIn(["purge", "--apply", file, "--yes"])
        assert.deepStrictEqual({ code: refused.code, stdout: refused.stdout }, { code: 9, stdout: "" })
        assert.include(refused.stderr, "was edited")
        assert.lengthOf(yield* tagsOf("purge/edited"), 3)
        assert.strictEqual((yield* loggedIn(["digest", `$REGISTRY/purge/edited@${untagged}`])).code, 0)

        const flattering = { ...plan, frees: { tags: 0, manifests: 0, atMostBytes: 0 } }
        writeFileSync(file, JSON.stringify({ ...document, plans: [flattering] }))
        const shown = yield* loggedIn(["purge", "--apply", file])
        assert.strictEqual(shown.code, 2)
        assert.include(shown.stderr, "and 1 of 4 manifests")
      })
    )

    it.effect("warns if nothing of it exists, as after an edit of its repository", () =>
      Effect.gen(function* () {
        yield* builds("purge/planned", 2)
        yield* builds("purge/other", 3)
        const file = join(temporary(), "plan.json")
        yield* loggedIn(["purge", "$REGISTRY/purge/planned", "--untagged", "--plan", file])
        const { code, stderr } = yield* loggedIn(["purge", "--apply", file, "--yes"])
        assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
        const again = yield* loggedIn(["purge", "--apply", file, "--yes"])
        assert.match(again.stderr, /^warning: nothing that the plan deletes is in \S+\/purge\/planned: /)
        const document = JSON.parse(readFileSync(file, "utf8"))
        const plans = [{ ...document.plans[0], repository: "purge/nowhere" }]
        writeFileSync(file, JSON.stringify({ ...document, plans }))
        const edited = yield* loggedIn(["purge", "--apply", file, "--yes"])
        assert.match(edited.stderr, /^warning: nothing that the plan deletes is in \S+\/purge\/nowhere: /)
      })
    )

    it.effect("replaces a plan, and no other file", () =>
      Effect.gen(function* () {
        yield* builds("purge/file", 2)
        const file = join(temporary(), "plan.json")
        const plan = ["purge", "$REGISTRY/purge/file", "--untagged", "--plan", file]
        assert.strictEqual((yield* loggedIn(plan)).code, 0)
        assert.strictEqual((yield* loggedIn(plan)).code, 0)
        writeFileSync(file, "notes")
        const { code, stderr } = yield* loggedIn(plan)
        assert.strictEqual(code, 2)
        assert.include(stderr, "no plan")
        assert.strictEqual(readFileSync(file, "utf8"), "notes")
        assert.deepStrictEqual(readdirSync(dirname(file)), ["plan.json"])
      })
    )

    it.effect("answers 3 if a part is kept because it changed", () =>
      Effect.gen(function* () {
        const { untagged } = yield* builds("purge/changed", 2)
        const file = join(temporary(), "plan.json")
        yield* loggedIn(["purge", "$REGISTRY/purge/changed", "--untagged", "--plan", file])
        yield* loggedIn(["tag", `$REGISTRY/purge/changed@${untagged}`, "needed"])
        const { code, stdout } = yield* loggedIn(["purge", "--apply", file, "--yes"])
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
