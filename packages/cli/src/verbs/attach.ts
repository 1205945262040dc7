/**
 * Attaches files to an artifact.
 */
import * as Artifact from "@effect-acr/artifacts/Artifact"
import * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Answer from "../answer.ts"
import { dryRunFlag, outcome } from "../dryRun.ts"
import * as Files from "../files.ts"
import * as Locks from "../locks.ts"
import * as Output from "../output.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import * as Counted from "../progress/counted.ts"
import * as Draw from "../progress/draw.ts"
import * as Progress from "../progress/progress.ts"
import { settings } from "../settings.ts"
import { table } from "../table.ts"
import * as Verb from "../verb.ts"

export const document = Answer.document({
  digest: Digest.Digest,
  subject: Digest.Digest,
  /** Whether the call attached it. False if the same artifact was attached before. */
  isNew: Schema.Boolean,
  isDryRun: Schema.Boolean
})

const program = (
  artifact: string,
  files: ReadonlyArray<string>,
  options: Artifact.AttachOptions,
  place: Pick<Place.Flags, "layout">
): Program.Program => {
  const opened = Place.written(place, artifact)
  const packed = { ...options, files: files.map((text) => Files.parse(text, false)) }
  return Program.join(opened, {
    imports: { [Program.artifacts]: ["Artifact"] },
    lines: [`yield* Artifact.attach(store, ${Program.literal(opened.reference)}, ${Program.literal(packed)})`]
  })
}

export const attach = Command.make(
  "attach",
  {
    artifact: Place.artifact(),
    files: Files.argument.pipe(Argument.atLeast(1)),
    artifactType: Flag.String("artifact-type").pipe(
      Flag.withMetavar("TYPE"),
      Flag.withDescription("Required. The type of the attached artifact, such as application/spdx+json")
    ),
    annotations: Files.annotationFlag,
    platform: Place.platformFlag,
    dryRun: dryRunFlag,
    ...Place.writeFlags
  },
  ({ annotations, artifact, artifactType, dryRun, files, platform, ...place }) => {
    const options = { artifactType, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) }
    const of = Option.isSome(platform) ? { platform: platform.value } : {}
    return Verb.run(
      {
        what: `attach to ${artifact}`,
        program: program(artifact, files, { ...options, ...of }, place),
        isDryRun: dryRun
      },
      Effect.gen(function* () {
        const opened = yield* Place.store(place, artifact)
        if (dryRun) yield* Locks.expectWritable(opened.registry, [])
        const packed = { ...options, files: yield* Files.inputs(files) }
        const attached = yield* dryRun
          ? Effect.gen(function* () {
              const subject = yield* Place.resolve(opened, platform)
              const { descriptor, sums } = yield* Files.predicted(opened.store, { ...packed, subject })
              return { descriptor, subject, isNew: sums.sent.nodes > 0, sums }
            })
          : Progress.during(Progress.continues, (progress) =>
              Effect.gen(function* () {
                const counted = Counted.store(opened.store, progress)
                const done = yield* Artifact.attach(counted, opened.reference, { ...packed, ...of })
                return { ...done, sums: yield* progress.sums }
              })
            )
        const { digest } = attached.descriptor
        const what = attached.isNew ? outcome(dryRun, "attached") : "attached before"
        yield* Answer.print(
          Answer.make(
            document,
            { digest, subject: attached.subject.digest, isNew: attached.isNew, isDryRun: dryRun },
            {
              text: (view) => table(view, ["DIGEST", "OUTCOME", "SUBJECT"], [[digest, what, attached.subject.digest]]),
              quiet: [digest]
            }
          )
        )
        const { format } = yield* settings
        if (format === "text") yield* Output.tell(`${dryRun ? "dry run, would be " : ""}${Draw.totals(attached.sums)}`)
      })
    )
  }
).pipe(
  Verb.described({
    does: "Attach files to an artifact: an SBOM, a report, a signature",
    examples: [
      {
        command:
          "eacr attach myregistry.azurecr.io/shop/api:v1.4.0 sbom.json:application/spdx+json --artifact-type application/spdx+json",
        description: "The SBOM of an image"
      }
    ]
  })
)
