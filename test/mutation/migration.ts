/**
 * Faults in what keeps a migration complete, and its report true.
 */
import type { Fault } from "./fault.ts"

const archives = "packages/migration/src/internal/archives.ts"
const artifacts = "packages/migration/src/internal/store/artifacts.ts"
const carriers = "packages/migration/src/internal/carriers.ts"
const compare = "packages/migration/src/internal/compare.ts"
const copy = "packages/migration/src/internal/copy.ts"
const driver = "packages/migration/src/internal/driver.ts"
const prepare = "packages/migration/src/internal/prepare.ts"
const readBack = "packages/migration/src/internal/readBack.ts"
const runs = "packages/migration/src/internal/store/runs.ts"
const selection = "packages/migration/src/internal/selection.ts"

export const migration: ReadonlyArray<Fault> = [
  {
    wrong: "an artifact that the target lacks passes as there",
    file: compare,
    find: "if (target.manifests !== undefined && !target.manifests.has(digest)) return",
    replace: "if (target.manifests !== undefined && target.manifests.size < 0) return"
  },
  {
    wrong: "an artifact that failed is verified since it is listed",
    file: compare,
    find: 'if (sight === "whole" && before !== undefined && isFailed(before)) {',
    replace: 'if (sight === "whole" && before?.state === "planned" && isFailed(before)) {'
  },
  {
    wrong: "an artifact that the source lists and does not have passes as vanished",
    file: compare,
    find: 'if (comparison.isLast && before.state === "vanished") return "failed"',
    replace: 'if (comparison.isLast && before.state === "vanished") return before.state'
  },
  {
    wrong: "a referrer without a tag is left out where only referrers are new",
    file: compare,
    find: "return [...planned, ...loose.map(plan)]",
    replace: "return loose.length < 0 ? loose.map(plan) : planned"
  },
  {
    wrong: "an artifact passes as copied although records of its referrers cannot be read",
    file: copy,
    find: "if (leftOut === 0) return settled",
    replace: "if (leftOut >= 0) return settled"
  },
  {
    wrong: "a blob that the target lost is not sent again",
    file: carriers,
    find: "() => Effect.sync(() => there.clear())",
    replace: "() => Effect.void"
  },
  {
    wrong: "a blob that repositories share is sent to each of them",
    file: carriers,
    find: "{ from: [...carriers, ...from] }",
    replace: "{ from: carriers.length < 0 ? carriers : from }"
  },
  {
    wrong: "all artifacts are tried although the login is refused",
    file: copy,
    find: "return stopping === undefined ?",
    replace: 'return stopping === undefined || stopping.problem === "Denied" ?'
  },
  {
    wrong: "the outcome of a process that hung replaces that of another one",
    file: artifacts,
    find: ')} AND state = ${whole(numberOf("planned"))}`',
    replace: ')} AND state >= ${whole(numberOf("planned") * 0)}`'
  },
  {
    wrong: "the plan of a process that hung replaces that of another one",
    file: runs,
    find: "if (current.length > 0) return yield* write",
    replace: "if (current.length >= 0) return yield* write"
  },
  {
    wrong: "other rules continue a run",
    file: runs,
    find: "if (found.rules === noRules || (yield* isSame(found.rules))) {",
    replace: "if (found.rules === noRules || (yield* isSame(found.rules)) || found.id > 0) {"
  },
  {
    wrong: "a run ends while artifacts are left to copy",
    file: driver,
    find: 'phase: planned === 0 || isLast ? "done" : "copy"',
    replace: 'phase: planned < 2 || isLast ? "done" : "copy"'
  },
  {
    wrong: "a repository that is not listed is no problem of the run",
    file: prepare,
    find: "return Effect.as(setProblem(found, messageOf(error)), Option.none<A>())",
    replace: "return Effect.as(Effect.succeed([found, messageOf(error)]), Option.none<A>())"
  },
  {
    wrong: "damage at the target is not read",
    file: readBack,
    find: "Effect.catchIf(isDamaged, () => Effect.sync(() => void damaged.push({ digest: blob.digest, isBlob: true })))",
    replace: "Effect.catchIf(isDamaged, () => Effect.void)"
  },
  {
    wrong: "an archive loses what only it had",
    file: archives,
    find: "if (!(yield* files.exists(fileOf(path, root, repository)))) return yield*",
    replace: "if (yield* files.exists(fileOf(path, root, repository))) return yield*"
  },
  {
    wrong: "each pass within a registry copies the copies of the one before",
    file: selection,
    find: "return names.filter((name) => !made.has(name) &&",
    replace: "return names.filter((name) => (!made.has(name) || made.has(name)) &&"
  }
]
