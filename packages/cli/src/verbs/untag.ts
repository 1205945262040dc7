/**
 * Deletes tags. What they name stays.
 */
import * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Answer from "../answer.ts"
import { dryRunFlag } from "../dryRun.ts"
import { WrongCall } from "../failure.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import * as Verb from "../verb.ts"

export const document = Answer.document({
  tags: Schema.Array(
    Schema.Struct({
      /** The tag, as the call names it. */
      name: Schema.String,
      /** `absent`: it was not there. */
      outcome: Schema.Literals(["deleted", "absent"]),
      /** What the tag named. */
      digest: Schema.optionalKey(Digest.Digest)
    })
  ),
  isDryRun: Schema.Boolean
})

type Outcome = (typeof document.Type)["tags"][number]

/** The tag of a call. A digest names a manifest, which goes with all of its tags. */
const tagOf = (name: string, { reference, registry }: Place.Opened<unknown>): Effect.Effect<string, WrongCall> => {
  const isMissing = Option.exists(registry, (opened) => opened.reference.tag === undefined)
  if (isMissing || Digest.isDigest(reference)) {
    return new WrongCall({ description: `${name} names no tag alone. A manifest is deleted by eacr rm --manifest` })
  }
  return Effect.succeed(reference)
}

/** Deletes the tag that a name is. */
export const untagOne = Effect.fnUntraced(function* (
  place: Pick<Place.Flags, "layout">,
  name: string,
  isDryRun: boolean
) {
  const opened = yield* Place.store(place, name)
  const tag = yield* tagOf(name, opened)
  const found = yield* opened.store.resolve(tag)
  if (Option.isNone(found)) return { name, outcome: "absent" } satisfies Outcome
  if (!isDryRun) yield* opened.store.untag(tag)
  return { name, outcome: "deleted", digest: found.value.digest } satisfies Outcome
})

/** What deleting tags answers. */
export const answerOf = (tags: ReadonlyArray<Outcome>, isDryRun: boolean): Answer.Answer =>
  Answer.make(
    document,
    { tags, isDryRun },
    {
      text: () => tags.map(({ digest = "", name, outcome }) => [name, outcome, digest].join("\t").trimEnd()),
      quiet: tags.flatMap(({ digest }) => digest ?? [])
    }
  )

/** Each name opens a place of its own, since they may be of several registries. */
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
      Argument.withDescription("registry/repository:tag; in a layout the tag alone"),
      Argument.atLeast(1)
    ),
    dryRun: dryRunFlag,
    ...Place.writeFlags
  },
  ({ dryRun, names, ...place }) =>
    Verb.answer(
      { what: `untag ${names.join(", ")}`, program: program(names, place) },
      Effect.map(
        Effect.forEach(names, (name) => untagOne(place, name, dryRun)),
        (tags) => answerOf(tags, dryRun)
      )
    )
).pipe(
  Verb.described({
    does: "Delete tags. The manifests that they name stay",
    examples: [{ command: "eacr untag myregistry.azurecr.io/shop/api:v1.3.0", description: "Delete one tag" }]
  })
)
