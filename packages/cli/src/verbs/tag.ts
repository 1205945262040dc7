/**
 * Points tags at an artifact.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Answer from "../answer.ts"
import { dryRunFlag, tagOutcome } from "../dryRun.ts"
import { NotThere } from "../problem.ts"
import * as Locks from "../locks.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import { table } from "../table.ts"
import * as Target from "../target.ts"
import * as Verb from "../verb.ts"

export const document = Answer.document({
  digest: Digest.Digest,
  tags: Schema.Array(Schema.Struct({ tag: Schema.String, outcome: Schema.Literals(["set", "moved", "unchanged"]) })),
  isDryRun: Schema.Boolean
})

/** The outcome of a tag that names something, or nothing yet. */
const outcomeOf = (found: Option.Option<Descriptor>, digest: Digest.Digest): "set" | "moved" | "unchanged" => {
  if (Option.isNone(found)) return "set"
  return found.value.digest === digest ? "unchanged" : "moved"
}

const program = (artifact: string, tags: ReadonlyArray<string>, place: Pick<Place.Flags, "layout">): Program.Program =>
  Program.join(Place.resolved(place, artifact, Option.none(), "descriptor"), {
    imports: { [Program.effect]: ["Option"] },
    lines: [
      "const raw = yield* store.manifest(descriptor)",
      `if (Option.isSome(raw)) yield* store.putManifest(raw.value, { tags: ${Program.literal(tags)} })`
    ]
  })

export const tag = Command.make(
  "tag",
  {
    artifact: Place.artifact(),
    tags: Argument.String("tag").pipe(Argument.withDescription("The new tags"), Argument.atLeast(1)),
    dryRun: dryRunFlag,
    ...Place.writeFlags
  },
  ({ artifact, dryRun, tags, ...place }) =>
    Verb.answer(
      { what: `tag ${artifact}`, program: program(artifact, tags, place), isDryRun: dryRun },
      Effect.gen(function* () {
        const valid = yield* Target.validTags(tags)
        const opened = yield* Place.store(place, artifact)
        const descriptor = yield* Place.resolve(opened, Option.none())
        const { digest } = descriptor
        const named = yield* Effect.forEach(new Set(valid), (tag) =>
          Effect.map(opened.store.resolve(tag), (found) => ({ tag, outcome: outcomeOf(found, digest) }))
        )
        const wanted = named.filter(({ outcome }) => outcome !== "unchanged").map(({ tag }) => tag)
        if (dryRun && wanted.length > 0) yield* Locks.expectWritable(opened.registry, wanted)
        if (!dryRun && wanted.length > 0) {
          const raw = yield* opened.store.manifest(descriptor)
          if (Option.isNone(raw)) return yield* new NotThere({ description: `${digest} is gone` })
          yield* opened.store.putManifest(raw.value, { tags: wanted })
        }
        return Answer.make(
          document,
          { digest, tags: named, isDryRun: dryRun },
          {
            text: (view) =>
              table(
                view,
                ["TAG", "OUTCOME", "DIGEST"],
                named.map((one) => [one.tag, tagOutcome(dryRun, one.outcome), digest])
              ),
            quiet: [digest]
          }
        )
      })
    )
).pipe(
  Verb.described({
    does: "Point one or more tags at an artifact. Only the manifest is transferred",
    examples: [{ command: "eacr tag myregistry.azurecr.io/shop/api:v1.4.0 stable", description: "Promote a version" }]
  })
)
