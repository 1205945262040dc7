/**
 * Pushes files and folders as an artifact.
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
import { WrongCall } from "../problem.ts"
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
import * as Target from "../target.ts"
import * as Verb from "../verb.ts"

export const document = Answer.document({
  digest: Digest.Digest,
  size: Schema.Natural,
  tags: Schema.Array(Schema.String),
  isDryRun: Schema.Boolean
})

/** The type that oras gives to an artifact without one. */
const defaultType = "application/vnd.unknown.artifact.v1"

const program = (
  to: string,
  files: ReadonlyArray<string>,
  options: Artifact.PackOptions,
  place: Pick<Place.Flags, "layout">
): Program.Program => {
  const [first = "", ...others] = to.split(",")
  const opened = Place.written(place, first)
  const hasTags = Option.isSome(place.layout) || first.indexOf(":", first.lastIndexOf("/")) !== -1
  const tags = hasTags ? [opened.reference, ...others] : []
  const packed = { ...options, files: files.map((text) => Files.parse(text, false)) }
  return Program.join(opened, {
    imports: { [Program.artifacts]: ["Artifact"] },
    lines: [`yield* Artifact.push(store, ${Program.literal(tags)}, ${Program.literal(packed)})`]
  })
}

/** Other commands take the files first. */
const expectOrder = (to: string, files: ReadonlyArray<string>) => {
  const target = files.find((file) => Target.isName(file))
  if (Target.isName(to) || target === undefined) return Effect.void
  const others = [to, ...files.filter((file) => file !== target)]
  return new WrongCall({
    description: `the repository comes before the files: eacr push ${[target, ...others].join(" ")}`
  })
}

const targetOf = (to: string, files: ReadonlyArray<string>, { layout }: Pick<Place.Flags, "layout">) =>
  Option.isSome(layout)
    ? Effect.map(Target.tagsOf(to), (tags): Target.Target => ({ repository: "", tags }))
    : Effect.andThen(expectOrder(to, files), Target.parse(to))

export const push = Command.make(
  "push",
  {
    to: Argument.String("repository").pipe(
      Argument.withDescription("registry/repository, optionally with tags (:v1,stable); in a layout only the tags")
    ),
    files: Files.argument.pipe(Argument.atLeast(1)),
    artifactType: Flag.String("artifact-type").pipe(
      Flag.withMetavar("TYPE"),
      Flag.withDescription("The type of the artifact, such as application/vnd.contoso.report.v1"),
      Flag.withDefault(defaultType)
    ),
    annotations: Files.annotationFlag,
    dryRun: dryRunFlag,
    ...Place.writeFlags
  },
  ({ annotations, artifactType, dryRun, files, to, ...place }) => {
    const options = { artifactType, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) }
    return Verb.run(
      { what: `push to ${to}`, program: program(to, files, options, place), isDryRun: dryRun },
      Effect.gen(function* () {
        const { repository, tags } = yield* targetOf(to, files, place)
        const { registry, store } = yield* Place.store(place, repository)
        if (dryRun) yield* Locks.expectWritable(registry, tags)
        const packed = { ...options, files: yield* Files.inputs(files) }
        const { descriptor, sums } = yield* dryRun
          ? Files.predicted(store, packed)
          : Progress.during(Progress.continues, (progress) =>
              Effect.gen(function* () {
                const pushed = yield* Artifact.push(Counted.store(store, progress), tags, packed)
                return { descriptor: pushed.descriptor, sums: yield* progress.sums }
              })
            )
        const { digest, size } = descriptor
        yield* Answer.print(
          Answer.make(
            document,
            { digest, size, tags, isDryRun: dryRun },
            {
              text: (view) => {
                const done = outcome(dryRun, "pushed")
                const named = tags.length === 0 ? [""] : tags
                return table(
                  view,
                  ["DIGEST", "TAG", "OUTCOME"],
                  named.map((tag) => [digest, tag, done])
                )
              },
              quiet: [digest]
            }
          )
        )
        const { format } = yield* settings
        if (format === "text") yield* Output.tell(`${dryRun ? "dry run, would be " : ""}${Draw.totals(sums)}`)
      })
    )
  }
).pipe(
  Verb.described({
    does: "Push files and folders as an artifact",
    examples: [
      {
        command: "eacr push myregistry.azurecr.io/site:v1 site README.md --artifact-type application/vnd.contoso.site",
        description: "Push a folder and a file"
      },
      {
        command: "eacr push myregistry.azurecr.io/reports:today report.html:text/html",
        description: "Push a file with its media type"
      }
    ]
  })
)
