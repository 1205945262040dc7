/**
 * Prints the bytes of a manifest unchanged.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import { NotThere } from "../problem.ts"
import * as Output from "../output.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import * as Verb from "../verb.ts"

const program = (artifact: string, platform: Option.Option<string>, place: Place.Flags): Program.Program =>
  Program.join(Place.resolved(place, artifact, platform, "descriptor"), {
    imports: { [Program.effect]: ["Option", "Stdio", "Stream"] },
    lines: [
      "const { stdout } = yield* Stdio.Stdio",
      "const raw = yield* store.manifest(descriptor)",
      "yield* Stream.run(Stream.fromIterable(Option.toArray(raw)).pipe(Stream.map(({ bytes }) => bytes)), stdout())"
    ]
  })

export const raw = Command.make(
  "raw",
  { artifact: Place.artifact(), platform: Place.platformFlag, ...Place.readFlags },
  ({ artifact, platform, ...place }) =>
    Verb.run(
      { what: `read ${artifact}`, program: program(artifact, platform, place) },
      Effect.gen(function* () {
        const opened = yield* Place.reader(place, artifact)
        const descriptor = yield* Place.resolve(opened, platform)
        const raw = yield* opened.store.manifest(descriptor)
        if (Option.isNone(raw)) return yield* new NotThere({ description: `${descriptor.digest} is gone` })
        yield* Output.print(raw.value.bytes)
      })
    )
).pipe(
  Verb.described({
    does: "Print the bytes of a manifest exactly as they are stored",
    examples: [
      { command: "eacr raw myregistry.azurecr.io/shop/api:v1.4.0", description: "Print the manifest of an image" }
    ]
  })
)
