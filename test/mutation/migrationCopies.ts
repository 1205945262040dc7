/**
 * Faults in what a migration selects, in how it counts failures, and in when it gives up.
 */
import type { Fault } from "./fault.ts"

const compare = "packages/migration/src/internal/compare.ts"
const copy = "packages/migration/src/internal/copy.ts"
const failures = "packages/migration/src/internal/failures.ts"
const inventory = "packages/migration/src/internal/inventory.ts"
const names = "packages/migration/src/internal/names.ts"
const outages = "packages/migration/src/internal/outages.ts"
const patience = "packages/migration/src/internal/patience.ts"
const prepare = "packages/migration/src/internal/prepare.ts"
const report = "packages/migration/src/MigrationReport.ts"
const rules = "packages/migration/src/MigrationRules.ts"
const selection = "packages/migration/src/internal/selection.ts"

export const migrationCopies: ReadonlyArray<Fault> = [
  {
    wrong: "a run with refused artifacts is complete",
    file: report,
    find: 'new Set(["planned", "failed", "refused"])',
    replace: 'new Set(["planned", "failed"])'
  },
  {
    wrong: "a run whose repositories have problems is complete",
    file: report,
    find: "problems.length === 0 && !totals",
    replace: "problems.length >= 0 && !totals"
  },
  {
    wrong: "several processes have the whole limit each",
    file: rules,
    find: "Math.max(1, Math.floor(number * share))",
    replace: "Math.max(1, Math.floor(number * Math.ceil(share)))"
  },
  {
    wrong: "a share of a small limit allows no request",
    file: rules,
    find: "Math.max(1, Math.floor(",
    replace: "Math.max(0, Math.floor("
  },
  {
    wrong: "limits of a registry that no route has are ignored",
    file: rules,
    find: "find((name) => !used.has(name))",
    replace: "find((name) => !used.has(name) && name === undefined)"
  },
  {
    wrong: "a target inside the folder that is read is accepted",
    file: rules,
    find: "const inside = routes.findIndex(isInside)",
    replace: "const inside = routes.findIndex((route) => isInside(route) && routes.length === 0)"
  },
  {
    wrong: "a member of the rules that is misspelt is ignored",
    file: rules,
    find: 'onExcessProperty: "error"',
    replace: 'onExcessProperty: "ignore"'
  },
  {
    wrong: "the last entry of rename wins",
    file: names,
    find: "rename.find(({ prefix })",
    replace: "rename.findLast(({ prefix })"
  },
  {
    wrong: "of two sources with one target, the second is copied",
    file: names,
    find: "other === index ? [] : (repositories[other] ?? [])",
    replace: "other >= index ? [] : (repositories[other] ?? [])"
  },
  {
    wrong: "names that differ only by case do not collide",
    file: names,
    find: "${name.toLowerCase()}`",
    replace: "${name}`"
  },
  {
    wrong: "a glob that matches nothing leaves repositories behind in silence",
    file: selection,
    find: "if (at === -1) return Effect.void",
    replace: "if (at >= -1) return Effect.void"
  },
  {
    wrong: "a run whose source lists nothing any more forgets what it knew",
    file: selection,
    find: "if (names.length > 0 || !isNew) {",
    replace: "if (names.length > 0) {"
  },
  {
    wrong: "throttling makes an artifact fail",
    file: patience,
    find: "while: (error) => refusalIn(error) !== undefined",
    replace: "while: (error) => refusalIn(error) === undefined && error === undefined"
  },
  {
    wrong: "a registry that asks for years is waited for",
    file: patience,
    find: "Effect.succeed(Duration.min(",
    replace: "Effect.succeed(Duration.max("
  },
  {
    wrong: "a registry's wait is not kept",
    file: patience,
    find: "Duration.max(duration, refusalIn(input)?.retryAfter",
    replace: "Duration.min(duration, refusalIn(input)?.retryAfter"
  },
  {
    wrong: "a success does not end failures in a row",
    file: outages,
    find: "inRepository.delete(repository)\n        inARow = 0",
    replace: "inRepository.delete(repository)\n        inARow += 0"
  },
  {
    wrong: "one broken repository stops the run",
    file: outages,
    find: "if (inARow < mostInARow || failing.size < leastRepositories) return Effect.void",
    replace: "if (inARow < mostInARow || failing.size < 0 * leastRepositories) return Effect.void"
  },
  {
    wrong: "a success in a repository does not end its failures in a row",
    file: outages,
    find: "inRepository.delete(repository)\n",
    replace: "inRepository.delete(-repository - 1)\n"
  },
  {
    wrong: "a full disk of the target fails artifact by artifact",
    file: copy,
    find: 'if (error.side === "target" && isDiskFull(error.cause)) {',
    replace: 'if (error.side === "source" && isDiskFull(error.cause)) {'
  },
  {
    wrong: "a refusal for good is tried again",
    file: copy,
    find: "error.isRetryable && ofRun(route, error) === undefined",
    replace: "ofRun(route, error) === undefined"
  },
  {
    wrong: "a failure that may pass is not tried again",
    file: copy,
    find: "          while: mayPass\n",
    replace: "          while: (error) => mayPass(error) && error.isRetryable !== true\n"
  },
  {
    wrong: "an orphan is copied without its subject",
    file: copy,
    find: 'if (yield* Effect.mapError(target.keeps({ digest: subject }), CopyError.at("target")<Fault>)) return undefined',
    replace:
      'if ((yield* Effect.mapError(target.keeps({ digest: subject }), CopyError.at("target")<Fault>)) || subject !== undefined) return undefined'
  },
  {
    wrong: "a tag that the target keeps passes as copied",
    file: copy,
    find: 'state: kept.length > 0 && onTag !== "keep" ? "failed"',
    replace: 'state: kept.length > 0 && onTag === undefined ? "failed"'
  },
  {
    wrong: "an artifact that is gone at the source has failed",
    file: failures,
    find: 'cause.problem === "Missing" && cause.path.length === 0) {',
    replace: 'cause.problem === "Missing" && cause.path.length === 1) {'
  },
  {
    wrong: "what the source refuses is a refusal of the target",
    file: failures,
    find: 'if (side === "target" && refusals.has(tag))',
    replace: "if (refusals.has(tag))"
  },
  {
    wrong: "a quota that is full is no full disk",
    file: failures,
    find: 'new Set(["ENOSPC", "EDQUOT"])',
    replace: 'new Set(["ENOSPC"])'
  },
  {
    wrong: "a tag that moved at the target passes as there",
    file: compare,
    find: 'if (found !== undefined && found !== digest && onTag !== "keep") return "incomplete"',
    replace: 'if (found !== undefined && found !== digest && onTag === undefined) return "incomplete"'
  },
  {
    wrong: "damage that was found is forgotten",
    file: compare,
    find: "if (before?.isDamaged === true) return before.state",
    replace: "if (before?.isDamaged === false) return before.state"
  },
  {
    wrong: "what was copied before the source lost it is vanished",
    file: compare,
    find: 'arrived.has(state) || state === "skipped" ? state : "vanished"',
    replace: 'state === "skipped" ? state : "vanished"'
  },
  {
    wrong: "transient failures wait for the next call",
    file: compare,
    find: "return settled.has(state) && !isTransient &&",
    replace: "return settled.has(state) &&"
  },
  {
    wrong: "tags of the list of referrers pass as extra",
    file: compare,
    find: "isWanted(tag) && !wanted.has(tag) && !Referrer.isTag(tag)",
    replace: "isWanted(tag) && !wanted.has(tag)"
  },
  {
    wrong: "a registry that does not know the path passes as one without the repository",
    file: inventory,
    find: 'reason._tag === "NotFound" && reason.resource !== "endpoint"',
    replace: 'reason._tag === "NotFound"'
  },
  {
    wrong: "a tag that the target has lost meanwhile passes as there",
    file: inventory,
    find: "else tags.delete(tag)",
    replace: "else tags.set(tag, undefined)"
  },
  {
    wrong: "a login that is refused for all repositories is a problem of each",
    file: prepare,
    find: "if (first !== undefined && refused.length === repositories",
    replace: "if (first !== undefined && refused.length > repositories"
  },
  {
    wrong: "tags that match nothing are no mistake",
    file: prepare,
    find: "if (run.pass > 1) return\n",
    replace: "if (run.pass > 0) return\n"
  },
  {
    wrong: "a repository that was deleted at the source keeps its artifacts planned",
    file: prepare,
    find: "if (isNamed && Option.isNone(found) && known.size === 0) {",
    replace: "if (isNamed && Option.isNone(found)) {"
  }
]
