/**
 * Checks a repository after a run for what is missing.
 */
import type * as Digest from "@effect-acr/client/Digest"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Inventory } from "../../RetentionInventory.ts"
import type { Plan } from "../../RetentionPlan.ts"
import type { Check, Outcome } from "../../RetentionReport.ts"
import type { RetentionTarget } from "../../RetentionTarget.ts"
import { asking, type Descriptions } from "./descriptions.ts"
import * as Graph from "./graph.ts"
import { readBy } from "./inventory.ts"

/** The tolerance for different clocks of a registry's machines. Deletions before the run are older. */
const overlap = Duration.minutes(5)

type Deleted = ReadonlyMap<Digest.Digest, Outcome>

/** The tags that the registry deleted with manifests of this run although the plan does not have them. */
const lostTags = (
  { deletedTags }: RetentionTarget,
  plan: Plan,
  deleted: Deleted,
  begunAt: DateTime.Utc
): Effect.Effect<Check["lostTags"], RegistryError> => {
  const planned = new Set(plan.tags.map(({ digest, name }) => `${digest} ${name}`))
  const since = DateTime.subtractDuration(begunAt, overlap)
  return deletedTags.pipe(
    Stream.filter(
      ({ deletedOn, digest, name }) =>
        deleted.has(digest) && !planned.has(`${digest} ${name}`) && DateTime.isGreaterThan(deletedOn, since)
    ),
    Stream.map(({ digest, name }) => ({ name, digest })),
    Stream.runCollect
  )
}

const compare = (plan: Plan, { manifests, tags }: Inventory, deleted: Deleted): Omit<Check, "lostTags"> => {
  const { nodes } = Graph.make({ manifests, tags })
  const names = new Set(tags.map(({ name }) => name))
  const brokenBefore = new Map(plan.broken.map(({ digest, missing }) => [digest, new Set(missing)]))
  const planned = new Set(plan.manifests.map(({ digest }) => digest))
  return {
    missingTags: plan.tags
      .filter(({ name, verdict }) => verdict === "keep" && !names.has(name))
      .map(({ digest, name }) => ({ name, digest })),
    missingManifests: plan.manifests
      .filter(({ digest, verdict }) => verdict === "keep" && !nodes.has(digest))
      .map(({ digest }) => digest),
    broken: Array.from(nodes.values()).flatMap(({ manifest, missing }) => {
      const lost = missing.filter((digest) => brokenBefore.get(manifest.digest)?.has(digest) !== true)
      return lost.length === 0 ? [] : [{ digest: manifest.digest, missing: lost }]
    }),
    present: Array.from(deleted.keys()).filter((digest) => nodes.has(digest)),
    orphaned: manifests.flatMap(({ digest, subject }) =>
      subject !== undefined && !planned.has(digest) && deleted.has(subject) && !nodes.has(subject)
        ? [{ digest, subject }]
        : []
    )
  }
}

/** The missing ones, requested one by one: tags may no longer lead to them, and the registry may not list untagged manifests. */
const stillMissing = (
  target: RetentionTarget,
  missing: ReadonlyArray<Digest.Digest>
): Effect.Effect<ReadonlyArray<Digest.Digest>, RegistryError> =>
  Arr.isReadonlyArrayNonEmpty(missing)
    ? Effect.map(target.look(missing, DateTime.makeUnsafe(8.64e15)), ({ manifests }) =>
        missing.filter((digest) => !manifests.has(digest))
      )
    : Effect.succeed(missing)

/** Checks a repository after a run that began at a time of the registry's clock; none if it cannot be read. */
export const run = (
  target: RetentionTarget,
  plan: Plan,
  outcomes: ReadonlyArray<Outcome>,
  begunAt: DateTime.Utc,
  descriptions: Descriptions
): Effect.Effect<Option.Option<Check>> => {
  const deleted = new Map(
    outcomes.flatMap((outcome) =>
      (outcome.outcome === "done" || outcome.outcome === "gone") && outcome.tag === undefined
        ? [[outcome.digest, outcome] as const]
        : []
    )
  )
  return Effect.gen(function* () {
    // If the registry lists no manifests, only reading one shows that it exists.
    const known = target.listing._tag === "Everything" ? descriptions : asking(descriptions)
    const compared = compare(plan, yield* readBy(target, known), deleted)
    const lost = yield* lostTags(target, plan, deleted, begunAt)
    return Option.some({
      ...compared,
      missingManifests: yield* stillMissing(target, compared.missingManifests),
      lostTags: lost
    })
  }).pipe(Effect.catch(() => Effect.succeedNone))
}
