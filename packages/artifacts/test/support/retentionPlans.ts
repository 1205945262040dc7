/**
 * Registries that are filled from data, and what a plan says of them, by name.
 */
import type * as Manifest from "@effect-acr/client/Manifest"
import * as Effect from "effect/Effect"
import type * as Retention from "../../src/Retention.ts"
import type { Plan, PlannedManifest, PlannedTag } from "../../src/RetentionPlan.ts"
import { image, planFor, type Push, registry, rulesOf, type TestRegistry } from "./retention.ts"

/** Fields of a rule. */
export interface Fields {
  readonly [field: string]: unknown
}

/** Rules that delete what is not kept. */
export const deleting: Fields = {
  defaults: {
    tags: { action: "delete", because: "no rule names it" },
    untagged: { action: "delete", because: "no rule names it" },
    orphans: { action: "delete", because: "no rule names it" }
  }
}

/** A registry that holds what was pushed, in this order. */
export const holding = (
  pushes: ReadonlyArray<Push>,
  options: Parameters<typeof registry>[0] = {}
): Effect.Effect<TestRegistry> =>
  Effect.gen(function* () {
    const made = registry(options)
    yield* Effect.orDie(Effect.forEach(pushes, made.push))
    return made
  })

/** An image of its own for each tag, by its age in days. */
export const tagged = (ages: { readonly [tag: string]: number }): ReadonlyArray<Push> =>
  Object.entries(ages).map(([tag, age]) => ({ manifest: image(tag), tags: [tag], age }))

/** The plan for what was pushed. */
export const planOf = (
  pushes: ReadonlyArray<Push>,
  rules: ReadonlyArray<Fields>,
  others: Fields = {},
  supplied: Retention.Supplied = {}
): Effect.Effect<Plan> =>
  Effect.gen(function* () {
    const made = yield* holding(pushes)
    return yield* planFor(made, yield* rulesOf(rules, others), supplied)
  }).pipe(Effect.orDie)

const having = <A extends Pick<PlannedTag, "verdict">>(
  things: ReadonlyArray<A>,
  verdict: PlannedTag["verdict"]
): ReadonlyArray<A> => things.filter((thing) => thing.verdict === verdict)

/** The tags that a plan deletes, in order. */
export const tagsThatGo = ({ tags }: Plan): ReadonlyArray<string> =>
  having(tags, "delete")
    .map(({ name }) => name)
    .toSorted()

/** The tags that a plan keeps, in order. */
export const tagsThatStay = ({ tags }: Plan): ReadonlyArray<string> =>
  having(tags, "keep")
    .map(({ name }) => name)
    .toSorted()

/** Manifests by the names that a test gives them. */
export interface Names {
  readonly [name: string]: Manifest.Raw
}

/** The names of digests, in order. */
export const namesOf = (digests: Iterable<string>, names: Names): ReadonlyArray<string> =>
  Array.from(
    digests,
    (digest) => Object.entries(names).find(([, { descriptor }]) => descriptor.digest === digest)?.[0] ?? digest
  ).toSorted()

/** The manifests that a plan deletes, by name. */
export const manifestsThatGo = ({ manifests }: Plan, names: Names): ReadonlyArray<string> =>
  namesOf(
    having(manifests, "delete").map(({ digest }) => digest),
    names
  )

/** What a plan says of a manifest. */
export const decisionOf = ({ manifests }: Plan, { descriptor }: Manifest.Raw): PlannedManifest => {
  const found = manifests.find(({ digest }) => digest === descriptor.digest)
  if (found === undefined) throw new Error(`the plan has no ${descriptor.digest}`)
  return found
}

/** What a plan says of a tag. */
export const tagDecisionOf = ({ tags }: Plan, tag: string): PlannedTag => {
  const found = tags.find(({ name }) => name === tag)
  if (found === undefined) throw new Error(`the plan has no tag ${tag}`)
  return found
}
