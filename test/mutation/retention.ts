/**
 * Faults in what keeps a retention from harm.
 */
import type { Fault } from "./fault.ts"

const apply = "packages/artifacts/src/internal/retention/apply.ts"
const looks = "packages/artifacts/src/internal/retention/looks.ts"
const actions = "packages/artifacts/src/internal/retention/actions.ts"
const plan = "packages/artifacts/src/internal/retention/plan.ts"

export const retention: ReadonlyArray<Fault> = [
  {
    wrong: "a referrer of what stays goes",
    file: plan,
    find: "for (const referrer of referrers) keep(referrer",
    replace: "for (const referrer of referrers.slice(referrers.length)) keep(referrer"
  },
  {
    wrong: "the subject of a referrer that stays goes",
    file: plan,
    find: "if (subject !== undefined) keep(subject",
    replace: "if (subject !== undefined && subject === node) keep(subject"
  },
  {
    wrong: "a signature by tag of what stays goes",
    file: plan,
    find: "if (keptTags.has(tag)) continue",
    replace: 'if (keptTags.has(tag) || tag.name !== "") continue'
  },
  {
    wrong: "an image goes although its index was skipped",
    file: apply,
    find: "const blocker = step.after.find((digest) => !run.gone.has(digest))",
    replace: "const blocker = step.after.find((digest) => digest === step.digest)"
  },
  {
    wrong: "an image goes before its index",
    file: actions,
    find: "      after,\n      owners:",
    replace: "      after: [],\n      owners:"
  },
  {
    wrong: "an image goes although it has a new tag that no list has",
    file: looks,
    find: "if (added.length > 0) return",
    replace: "if (added.length > 99) return"
  },
  {
    wrong: "an image goes although a tag was pushed that names it",
    file: looks,
    find: "changesOf(known, seen, step) ?? pushedTag(known, seen, going)",
    replace: "changesOf(known, seen, step)"
  },
  {
    wrong: "an image goes although an index came that names it",
    file: looks,
    find: "const waiting = newer.filter(({ digest }) => !going.has(digest))",
    replace: "const waiting = newer.filter(({ digest }) => !going.has(digest)).slice(newer.length)"
  },
  {
    wrong: "a subject goes although a referrer that goes with it has a new tag",
    file: looks,
    find: "const together = step.together()",
    replace: "const together = step.together().slice(0, 0)"
  },
  {
    wrong: "the last look at an image is not the last request before it is deleted",
    file: looks,
    find: "if (!hasRead) return Option.none()",
    replace: "if (!hasRead || looks === 0) return Option.none()"
  },
  {
    wrong: "a referrer goes although its subject came back",
    file: looks,
    find: "if (owners.has(Referrer.tag(digest))) return",
    replace: "if (owners.has(digest)) return"
  },
  {
    wrong: "the tag of a signature goes although its subject came back",
    file: looks,
    find: "const owner = came.find((one) => owners.has(Referrer.tag(one.digest)))",
    replace: "const owner = came.find((one) => owners.has(one.digest))"
  },
  {
    wrong: "an index that came back is not read",
    file: looks,
    find: 'planned.get(digest)?.verdict === "delete" && !gone.has(digest)',
    replace: 'planned.get(digest)?.verdict === "delete"'
  },
  {
    wrong: "a subject goes with a referrer that was locked",
    file: looks,
    find: "if (now.isLocked && !isLocked) return",
    replace: "if (now.isLocked && isLocked === undefined) return"
  },
  {
    wrong: "what could not be deleted stays unlocked",
    file: apply,
    find: "Exit.isSuccess(exit) && own.has(first)",
    replace: "Exit.isSuccess(exit) || own.has(first)"
  },
  {
    wrong: "a run goes on although it is forbidden to delete",
    file: apply,
    find: "if (isFatal(error)) run.stopped = ",
    replace: 'if (isFatal(error) && error.message === "") run.stopped = '
  },
  {
    wrong: "a run that is resumed forgets what it deleted",
    file: apply,
    find: "earlier.filter(isSettled).map(",
    replace: "earlier.slice(0, 0).filter(isSettled).map("
  }
]
