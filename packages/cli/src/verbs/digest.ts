/**
 * Prints the digest of an artifact.
 */
import * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import * as Answer from "../answer.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import * as Verb from "../verb.ts"

export const document = Answer.document({ digest: Digest.Digest })

const program = (artifact: string, platform: Option.Option<string>, place: Place.Flags): Program.Program =>
  Program.join(Place.resolved(place, artifact, platform, "{ digest }"), Program.print("digest"))

export const digest = Command.make(
  "digest",
  { artifact: Place.artifact(), platform: Place.platformFlag, ...Place.readFlags },
  ({ artifact, platform, ...place }) =>
    Verb.answer(
      { what: `find ${artifact}`, program: program(artifact, platform, place) },
      Effect.gen(function* () {
        const opened = yield* Place.reader(place, artifact)
        const { digest } = yield* Place.resolve(opened, platform)
        return Answer.make(document, { digest }, { text: () => [digest], quiet: [digest] })
      })
    )
).pipe(
  Verb.described({
    does: "Print the digest of an artifact",
    examples: [
      { command: "eacr digest myregistry.azurecr.io/shop/api:v1.4.0", description: "Show which digest a tag names" }
    ]
  })
)
