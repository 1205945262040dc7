/**
 * Deletes tags, and keeps the manifests that they name.
 */
import * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Answer from "../answer.ts"
import { dryRunFlag, outcome as outcomeOf } from "../dryRun.ts"
import { NotThere, WrongCall } from "../problem.ts"
import { readingOf } from "../reading.ts"
import * as InTurn from "../inTurn.ts"
import * as Locks from "../locks.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import * as Verb from "../verb.ts"

export const document = Answer.document({
  tags: Schema.Array(
    Schema.Struct({
      /** The tag, as the call names it. */
      name: Schema.String,
      /** `absent`: it did not exist. `unknown`: interrupted during the deletion. `notReached`: interrupted before it. */
      outcome: Schema.Literals(["deleted", "absent", "failed", "unknown", "notReached"]),
      /** What the tag named. */
      digest: Schema.optionalKey(Digest.Digest),
      /** Why it is absent, or could not be deleted. */
      problem: Schema.optionalKey(Schema.String)
    })
  ),
  isDryRun: Schema.Boolean
})

type Outcome = (typeof document.Type)["tags"][number]

/** The tag of a call. Fails for a digest, which names a manifest with all of its tags. */
const tagOf = (name: string, { reference, registry }: Place.Opened<unknown>): Effect.Effect<string, WrongCall> => {
  const isMissing = Option.exists(registry, (opened) => opened.reference.tag === undefined)
  const isDigest = Digest.isDigest(reference)
  if (isMissing && !isDigest) {
    return new WrongCall({
      description: `${name} names no tag. To list tags: eacr ls ${name}. To delete old ones: eacr purge ${name}`
    })
  }
  if (isMissing || isDigest) {
    return new WrongCall({ description: `${name} has a digest. eacr rm --manifest deletes manifests` })
  }
  return Effect.succeed(reference)
}

/** The step that deletes a tag. An invalid name fails here, before anything changes. */
const stepFor = Effect.fnUntraced(function* (place: Pick<Place.Flags, "layout">, name: string, isDryRun: boolean) {
  const opened = yield* Place.existing(place, name)
  const tag = yield* tagOf(name, opened)
  return {
    what: `delete the tag ${name}`,
    act: Effect.gen(function* () {
      const found = yield* opened.store.resolve(tag)
      if (Option.isNone(found)) return yield* new NotThere({ description: "there is no such tag" })
      yield* isDryRun
        ? Locks.expectDeletable(opened.registry, { tags: [tag] })
        : Locks.deleting(opened.registry, { tags: [tag] }, opened.store.untag(tag))
      return found.value.digest
    })
  }
})

const outcomeFor = (name: string, fate: InTurn.Fate<Digest.Digest>): Outcome => {
  switch (fate._tag) {
    case "Done":
      return { name, outcome: "deleted", digest: fate.value }
    case "Failed":
      return {
        name,
        outcome: fate.problem._tag === "NotThere" ? "absent" : "failed",
        problem: readingOf(fate.problem).why
      }
    case "Unknown":
      return { name, outcome: "unknown" }
    case "NotReached":
      return { name, outcome: "notReached" }
  }
}

const lineOf = ({ digest, name, outcome }: Outcome, isDryRun: boolean): string =>
  [
    name,
    outcome === "deleted" ? outcomeOf(isDryRun, outcome) : outcome,
    ...(digest === undefined ? [] : [digest])
  ].join("\t")

/** Deletes the tags of names. */
export const untagAll = Effect.fnUntraced(function* (
  place: Pick<Place.Flags, "layout">,
  names: ReadonlyArray<string>,
  isDryRun: boolean
) {
  // A tag that is named twice would be absent the second time.
  const distinct = Array.from(new Set(names))
  const steps = yield* Effect.forEach(distinct, (name) => stepFor(place, name, isDryRun))
  yield* InTurn.run(steps, (fates) => {
    const tags = fates.map((fate, index) => outcomeFor(distinct[index] ?? "", fate))
    return Answer.make(
      document,
      { tags, isDryRun },
      {
        text: () => tags.map((tag) => lineOf(tag, isDryRun)),
        quiet: tags.flatMap(({ digest }) => digest ?? [])
      }
    )
  })
})

/** Opens a place for each name: the names may be in several registries. */
export const program = (names: ReadonlyArray<string>, place: Pick<Place.Flags, "layout">): Program.Program =>
  Program.join(
    ...names.map((name, index) => {
      const variable = names.length === 1 ? "store" : `store${index + 1}`
      const opened = Place.written(place, name, variable)
      const untag: Program.Program = {
        imports: {},
        lines: [`yield* ${variable}.untag(${Program.literal(opened.reference)})`]
      }
      return Program.join(opened, untag)
    })
  )

export const untag = Command.make(
  "untag",
  {
    names: Argument.String("tag").pipe(
      Argument.withDescription("registry/repository:tag; in a layout only the tag"),
      Argument.atLeast(1)
    ),
    dryRun: dryRunFlag,
    ...Place.writeFlags
  },
  ({ dryRun, names, ...place }) =>
    Verb.run(
      { what: `untag ${names.join(", ")}`, program: program(names, place), isDryRun: dryRun },
      untagAll(place, names, dryRun)
    )
).pipe(
  Verb.described({
    does: "Delete tags, and keep the manifests that they name",
    examples: [{ command: "eacr untag myregistry.azurecr.io/shop/api:v1.3.0", description: "Delete one tag" }]
  })
)
