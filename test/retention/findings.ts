/**
 * What `acr purge` does, and the result of this library on the same data, each from a run.
 */
import * as Retention from "@effect-acr/artifacts/Retention"
import type { RetentionJournal } from "@effect-acr/artifacts/RetentionJournal"
import * as RetentionReport from "@effect-acr/artifacts/RetentionReport"
import * as RetentionRules from "@effect-acr/artifacts/RetentionRules"
import type { Digest } from "@effect-acr/client/Digest"
import { NotFound, RegistryError, Unauthenticated, Unavailable } from "@effect-acr/client/RegistryError"
import { AcrEmulator } from "@effect-acr/emulator"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import {
  image,
  index,
  planFor,
  referrer,
  type Request,
  rulesOf,
  type TestRegistry
} from "../../packages/artifacts/test/support/retention.ts"
import {
  type Fields,
  holding,
  type Names,
  namesOf,
  tagged
} from "../../packages/artifacts/test/support/retentionPlans.ts"
import { emulated } from "../support/emulator.ts"
import * as Emulated from "../support/retention.ts"

/** A place in the source of acr-cli, or a page. */
interface Source {
  readonly text: string
  readonly url: string
}

/** A finding. */
interface Finding {
  /** What `acr purge` does. */
  readonly theirs: string
  readonly source: Source
  /** The result of this library on the same data. */
  readonly ours: Effect.Effect<string, unknown>
}

/** acr-cli of 2026-03-12. */
const commit = "cfbb835863061df3c6ead82bce0521ac4b7f4eb4"

const purge = "cmd/acr/purge.go"
const images = "cmd/repository/image_functions.go"
const purger = "internal/worker/purger.go"

const lines = (file: string, first: number, last: number): Source => ({
  text: `${file.split("/").at(-1)}:${first}`,
  url: `https://github.com/Azure/acr-cli/blob/${commit}/${file}#L${first}-L${last}`
})

const autoPurge: Source = {
  text: "auto-purge",
  url: "https://learn.microsoft.com/azure/container-registry/container-registry-auto-purge"
}

const listOf = (things: ReadonlyArray<string>): string => (things.length === 0 ? "nothing" : things.join(", "))

const planning = (registry: TestRegistry, rules: ReadonlyArray<Fields>, others: Fields = {}) =>
  Effect.gen(function* () {
    const decoded = yield* rulesOf(rules, others)
    return { rules: decoded, plan: yield* planFor(registry, decoded) }
  })

/** Plans, and carries the plan out. */
const running = (
  registry: TestRegistry,
  rules: ReadonlyArray<Fields>,
  others: Fields = {},
  options: Retention.ApplyOptions = {}
) =>
  Effect.gen(function* () {
    const planned = yield* planning(registry, rules, others)
    return yield* Retention.apply(registry.target, planned.plan, planned.rules, options)
  })

/** Which manifests a run deletes and keeps, by name. */
const manifestsOf = (pushes: Parameters<typeof holding>[0], names: Names, rules: ReadonlyArray<Fields>) =>
  Effect.gen(function* () {
    const registry = yield* holding(pushes)
    const before = registry.digests()
    yield* running(registry, rules)
    const after = registry.digests()
    const gone = Array.from(before).filter((digest) => !after.has(digest))
    return `Deletes ${listOf(namesOf(gone, names))}. Keeps ${listOf(namesOf(after, names))}.`
  })

/** Which tags a run deletes and keeps. */
const tagsOf = (ages: { readonly [tag: string]: number }, rules: ReadonlyArray<Fields>) =>
  Effect.gen(function* () {
    const registry = yield* holding(tagged(ages))
    const before = Array.from(registry.tags().keys()).toSorted()
    yield* running(registry, rules)
    const after = registry.tags()
    const gone = before.filter((tag) => !after.has(tag))
    return `Deletes ${listOf(gone)}. Keeps ${listOf(Array.from(after.keys()).toSorted())}.`
  })

const failure = (operation: string, reason: RegistryError["reason"]) =>
  Effect.fail(new RegistryError({ operation, reason }))

const isWrite = ({ name }: Request): boolean => ["deleteTag", "deleteManifest", "unlock", "relock"].includes(name)

const deleteUntagged = { of: ["untagged"], action: "delete" }

const names = {
  index: index("index", [image("amd64"), image("arm64")]),
  amd64: image("amd64"),
  arm64: image("arm64")
}

const lockedIndex = manifestsOf(
  [
    { manifest: names.amd64, age: 60 },
    { manifest: names.arm64, age: 60 },
    { manifest: names.index, tags: ["v1"], age: 60, isLocked: true }
  ],
  names,
  [{ of: ["tags", "untagged"], olderThan: "30 days", action: "delete" }]
)

const scan = image("scan")
const referringNames = { app: image("app"), report: index("report", [scan], image("app")), scan }
const referringIndex = manifestsOf(
  [
    { manifest: referringNames.app, tags: ["v1"], age: 60 },
    { manifest: referringNames.scan, age: 60 },
    { manifest: referringNames.report, age: 60 }
  ],
  referringNames,
  [deleteUntagged]
)

const rootNames = {
  "old-image": image("old"),
  "old-index": index("old", [image("old")]),
  "new-image": image("new"),
  "new-index": index("new", [image("new")])
}
const newestRoot = manifestsOf(
  [
    { manifest: rootNames["old-image"], age: 60 },
    { manifest: rootNames["old-index"], age: 60 },
    { manifest: rootNames["new-image"], age: 50 },
    { manifest: rootNames["new-index"], age: 50 }
  ],
  rootNames,
  [{ of: ["untagged"], newest: { count: 1 }, action: "keep" }, deleteUntagged]
)

const anchored = Effect.map(rulesOf([], { repositories: [{ regex: "a|b" }] }), (rules) => {
  const matched = ["a", "b", "alpha/prod", "prod-db"].filter((name) => RetentionRules.isFor(rules, name))
  return `\`{"regex": "a|b"}\` matches ${listOf(matched)}.`.replaceAll("|", "\\|")
})

const orphanNames = { "old-sbom": referrer("old", image("gone")), "new-sbom": referrer("new", image("gone")) }
const orphans = manifestsOf(
  [
    { manifest: orphanNames["old-sbom"], age: 200 },
    { manifest: orphanNames["new-sbom"], age: 50 }
  ],
  orphanNames,
  [{ of: ["orphans"], olderThan: "100 days", action: "delete" }]
)

const durations = [
  "1h30d",
  "1.5d",
  "1e3d",
  "d",
  "xd",
  "w2d",
  "99999999999999999999d",
  "-5d",
  "7days",
  "abc",
  "h",
  "30",
  "1w",
  "30D",
  "0 days",
  "-5 days",
  "Infinity"
]
const strictDurations = Effect.gen(function* () {
  const read = yield* Effect.forEach(durations, (olderThan) =>
    Effect.exit(
      RetentionRules.parse(
        JSON.stringify({
          repositories: ["**"],
          defaults: {
            tags: { action: "keep", because: "-" },
            untagged: { action: "keep", because: "-" },
            orphans: { action: "keep", because: "-" }
          },
          rules: [{ name: "old", because: "-", of: ["tags"], olderThan, action: "delete" }]
        })
      )
    )
  )
  const refused = read.filter(Exit.isFailure).length
  return `${refused} of these ${durations.length} are errors: ${durations.map((text) => `\`${text}\``).join(", ")}. A duration is \`30 days\` or \`36 hours\`.`
})

/** A tag of a locked image, with a registry that fails in the middle. */
const relocked = Effect.gen(function* () {
  const lockedRules: Fields = { locked: "include" }
  const unavailable = new Unavailable({ description: "away", code: "ECONNRESET" })
  const fails = (name: Request["name"]) =>
    Effect.gen(function* () {
      const registry = yield* holding([{ manifest: image("app"), tags: ["v1"], lockedTags: ["v1"], age: 60 }])
      const { plan, rules } = yield* planning(registry, [{ action: "delete" }], lockedRules)
      registry.before = (request) => (request.name === name ? failure(name, unavailable) : Effect.void)
      yield* Retention.apply(registry.target, plan, rules, { allowLocked: true })
      registry.before = () => Effect.void
      const tag = yield* registry.target.tag("v1")
      const deletions = registry.requests.filter((request) => request.name === "deleteManifest").length
      return { isLocked: Option.exists(tag, ({ isLocked }) => isLocked), deletions }
    })
  const deletion = yield* fails("deleteManifest")
  const unlocking = yield* fails("unlock")
  return `Deletion fails: the tag is ${deletion.isLocked ? "locked again" : "unlocked"}. Unlocking fails: ${unlocking.deletions} deletions are sent.`
})

const refusals = Effect.gen(function* () {
  const tags = ["v1", "v2", "v3", "v4", "v5", "v6"]
  const digests: ReadonlyArray<Digest> = tags.map((tag) => image(tag).descriptor.digest).toSorted()
  const run = (answers: ReadonlyArray<"405" | "404" | "500" | "401" | "202">) =>
    Effect.gen(function* () {
      const registry = yield* holding(tagged(Object.fromEntries(tags.map((tag) => [tag, 60]))))
      const { plan, rules } = yield* planning(registry, [{ action: "delete" }])
      registry.before = ({ name, subject }) => {
        if (name !== "deleteManifest") return Effect.void
        switch (answers[digests.findIndex((digest) => digest === subject)]) {
          case "404":
            return failure(name, new NotFound({ resource: "manifest", description: "gone" }))
          case "405":
            return Effect.sync(() => registry.lock(subject))
          case "500":
            return failure(name, new Unavailable({ description: "away", code: "ECONNRESET" }))
          case "401":
            return failure(name, new Unauthenticated({ description: "no" }))
          default:
            return Effect.void
        }
      }
      const report = yield* Retention.apply(registry.target, plan, rules, { concurrency: 1 })
      const outcomes = digests.map((digest) => report.outcomes.find((one) => one.digest === digest)?.outcome ?? "")
      return outcomes.map((outcome, at) => `${answers[at]}: ${outcome}`).join(", ")
    })
  const some = yield* run(["405", "404", "500", "202", "202", "202"])
  const unauthorized = yield* run(["202", "401", "202", "202", "202", "202"])
  return `${some}. With a 401 in the middle: ${unauthorized.replaceAll("202: notReached", "not reached")}.`
})

const newTag = Effect.gen(function* () {
  const registry = yield* holding([{ manifest: image("app"), tags: ["v1"], age: 60 }])
  const { plan, rules } = yield* planning(registry, [{ action: "delete" }])
  yield* registry.push({ manifest: image("app"), tags: ["release"] })
  const { outcomes } = yield* Retention.apply(registry.target, plan, rules)
  const said = outcomes.map(({ detail, outcome }) => `\`${outcome}\`, ${detail ?? ""}`)
  return `The image stays: ${said.join("; ")}. Tags: ${listOf(Array.from(registry.tags().keys()).toSorted())}.`
})

const dryRun = Effect.gen(function* () {
  const registry = yield* holding(tagged({ v1: 60, v2: 50, v3: 5 }))
  const { plan, rules } = yield* planning(registry, [{ olderThan: "30 days", action: "delete" }])
  const writes = registry.requests.filter(isWrite).length
  const report = yield* Retention.apply(registry.target, plan, rules)
  const done = report.outcomes.filter(({ outcome }) => outcome === "done")
  const planned = plan.manifests.filter(({ verdict }) => verdict === "delete").map(({ digest }) => digest)
  const isSame = planned.every((digest) => done.some((one) => one.digest === digest)) && planned.length === done.length
  return `The plan has ${plan.frees.manifests} manifests, and ${writes} writes were sent for it. The run deletes ${isSame ? "the same manifests" : "others"}.`
})

const regex = Effect.gen(function* () {
  const registry = yield* holding(tagged({ [`${"a".repeat(127)}b`]: 60 }))
  const rules = yield* rulesOf([{ tags: [{ regex: "(a+)+$" }], action: "delete" }])
  const inventory = yield* Retention.inventory(registry.target)
  const times = Array.from({ length: 5 }, () => {
    const before = performance.now()
    Result.getOrThrow(Retention.plan(inventory, rules))
    return performance.now() - before
  })
  return `\`(a+)+$\` on 128 characters takes ${Math.min(...times) < 50 ? "less" : "more"} than 50 ms. The engine has no backtracking.`
})

/** A journal in memory. */
const journal = (): RetentionJournal => {
  const outcomes: Array<RetentionReport.Outcome> = []
  return {
    begin: () => Effect.sync(() => outcomes.slice()),
    record: (outcome) => Effect.sync(() => void outcomes.push(outcome))
  }
}

const resumed = Effect.gen(function* () {
  const count = 200
  const registry = yield* holding(tagged(Object.fromEntries(Array.from({ length: count }, (_, at) => [`v${at}`, 60]))))
  const { plan, rules } = yield* planning(registry, [{ action: "delete" }])
  const written = journal()
  const deletions = () => registry.requests.filter(({ name }) => name === "deleteManifest").length
  registry.before = () => (deletions() > count / 2 ? Effect.interrupt : Effect.void)
  yield* Effect.exit(Retention.apply(registry.target, plan, rules, { journal: written, concurrency: 1 }))
  registry.before = () => Effect.void
  const left = registry.digests().size
  const first = registry.requests.length
  const report = yield* Retention.apply(registry.target, plan, rules, { journal: written, concurrency: 1 })
  const second = registry.requests.slice(first).filter(({ name }) => name === "deleteManifest").length
  return `${count} deletions, interrupted with ${left} left: the second run, with the journal, sends ${second} and ends \`${RetentionReport.status(report)}\`. A run has no time limit.`
})

const byRepository = Effect.gen(function* () {
  const emulator = yield* AcrEmulator.AcrEmulator
  const repositories = Array.from({ length: 12 }, (_, at) => `team/${at}`)
  const rules = yield* Emulated.rulesOf([Emulated.deleteOld])
  for (const repository of repositories) {
    for (const tag of ["old", "new"]) yield* emulator.seed({ repository, tags: [tag], layers: [tag] })
  }
  const reports = yield* Effect.forEach(repositories, (repository) =>
    Effect.gen(function* () {
      const target = yield* Retention.target(repository)
      return yield* Retention.apply(target, yield* Emulated.planFor(target, rules), rules)
    })
  )
  const done = reports.filter((report) => RetentionReport.status(report) === "done").length
  const refused = (yield* emulator.journal).filter(({ status }) => status === 403).length
  return `${done} of ${repositories.length} repositories are cleaned up, with tokens for one repository each; ${refused} requests are refused.`
}).pipe(Effect.provide(emulated({ roleAssignmentMode: "rbac-abac" })))

const untaggedNames = { "old-image": image("old"), "new-image": image("new") }
const untaggedAge = manifestsOf(
  [
    { manifest: untaggedNames["old-image"], age: 60 },
    { manifest: untaggedNames["new-image"], age: 5 }
  ],
  untaggedNames,
  [{ of: ["untagged"], olderThan: "30 days", action: "delete" }]
)

/** The findings, in the order of their discovery. */
export const findings: ReadonlyArray<Finding> = [
  {
    theirs:
      "Skips a locked index before it collects the images of that index. The untagged images are deleted, and the locked index can no longer be pulled.",
    source: lines(images, 205, 215),
    ours: lockedIndex
  },
  {
    theirs: "Protects the children of an index that has a subject, but not the index itself, which it deletes.",
    source: lines(images, 313, 330),
    ours: referringIndex
  },
  {
    theirs:
      "`--untagged-only --keep 1` counts an index and its images as separate manifests: it keeps the newest index and deletes its images.",
    source: lines(purge, 595, 610),
    ours: newestRoot
  },
  {
    theirs: "`--filter 'a|b:…'` becomes `^a|b$`, which also matches `alpha/prod` and `prod-db`.".replaceAll("|", "\\|"),
    source: lines(images, 117, 117),
    ours: anchored
  },
  {
    theirs: "The expression for tags is not anchored: `1.0` deletes `11.0.5` and `v1x0`.",
    source: lines(purge, 478, 487),
    ours: tagsOf({ "1.0": 60, "11.0.5": 60, v1x0: 60 }, [{ tags: ["1.0"], action: "delete" }])
  },
  {
    theirs:
      "Joins the filters for one repository into one expression: `--keep 1` keeps one tag in total, not one for each filter.",
    source: lines(images, 121, 128),
    ours: tagsOf({ a1: 60, a2: 50, b1: 90, b2: 80 }, [
      { tags: ["a*"], newest: { count: 1 }, action: "keep" },
      { tags: ["b*"], newest: { count: 1 }, action: "keep" },
      { tags: ["a*", "b*"], action: "delete" }
    ])
  },
  {
    theirs: "Never deletes referrers whose subject is gone.",
    source: lines(images, 460, 480),
    ours: orphans
  },
  {
    theirs:
      "Reads `1h30d`, `1.5d` and `1e3d` as one day. Reads `d`, `xd`, `w2d` and too large numbers as zero, and `-5d` as a time in the future: everything is old enough. Reads `7days`, `abc` and `h` as 150 years, with a warning. Refuses `30`, `1w` and `30D`.",
    source: lines(purge, 389, 448),
    ours: strictDurations
  },
  {
    theirs:
      "`--keep 1` counts only tags that are old enough: with `--ago 30d`, it keeps one of `v1` to `v3` in addition to the younger ones.",
    source: lines(purge, 478, 516),
    ours: tagsOf({ v1: 60, v2: 50, v3: 40, v4: 10, v5: 5 }, [
      { newest: { count: 1 }, action: "keep" },
      { olderThan: "30 days", action: "delete" }
    ])
  },
  {
    theirs:
      "`--include-locked` unlocks and then deletes. If the deletion fails, the tag stays unlocked. If unlocking fails, it deletes anyway.",
    source: lines(purger, 46, 67),
    ours: relocked
  },
  {
    theirs:
      "Prints a 405 as skipped and counts a 404 as deleted. Any other error of a deletion ends the work on the repository, and the first 401 ends the run.",
    source: lines(purger, 75, 95),
    ours: refusals
  },
  {
    theirs:
      "Does not check again between list and deletion: a tag that is pushed to an image meanwhile is deleted with it.",
    source: lines(purger, 97, 130),
    ours: newTag
  },
  {
    theirs: "The dry run is a separate code path. It counted wrongly or did not end, which was fixed later.",
    source: { text: "#220", url: "https://github.com/Azure/acr-cli/issues/220" },
    ours: dryRun
  },
  {
    theirs: "Its regular expressions backtrack, with a limit of 60 seconds for one match.",
    source: lines(images, 392, 406),
    ours: regex
  },
  {
    theirs: "140,000 manifests exceeded the time limit of a task. An interrupted run starts from the beginning.",
    source: { text: "#457", url: "https://github.com/Azure/acr-cli/issues/457" },
    ours: resumed
  },
  {
    theirs: "On a registry in ABAC mode it requests a token for ten repositories at a time.",
    source: lines(purge, 238, 280),
    ours: byRepository
  },
  {
    theirs: "`--untagged` ignored `--ago` until version 0.17.",
    source: autoPurge,
    ours: untaggedAge
  }
]
