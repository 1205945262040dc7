/**
 * Pushes what an archive or a layout holds.
 */
import * as ImageArchive from "@effect-acr/artifacts/ImageArchive"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import type { Reader } from "@effect-acr/artifacts/ContentStore"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { dryRunFlag } from "../dryRun.ts"
import { type StoreError, WrongCall } from "../failure.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import * as Target from "../target.ts"
import { type Job, printCopies } from "../transfer.ts"
import * as Verb from "../verb.ts"

export { document } from "../transfer.ts"

/** Opens a folder as a layout, and a file or standard input as an archive. */
const openFile = Effect.fnUntraced(function* (file: string) {
  if (file === "-") {
    const { stdin } = yield* Stdio.Stdio
    const archive: Reader<StoreError> = yield* ImageArchive.fromStream(stdin)
    return archive
  }
  const files = yield* FileSystem.FileSystem
  const { type } = yield* files.stat(file)
  const reader: Reader<StoreError> = yield* type === "Directory" ? ImageLayout.open(file) : ImageArchive.read(file)
  return reader
})

/** The tag of a full name, such as `docker.io/library/alpine:3.20`, or the tag itself. */
const tagIn = (name: string): string => name.slice(name.lastIndexOf(":") + 1)

const duplicateOf = (names: ReadonlyArray<string>): string | undefined =>
  names.find((name, index) => names.findIndex((other) => tagIn(other) === tagIn(name)) !== index)

/** What to push: all that has a tag, or the one artifact that gets the tags of the call. */
const chosen = Effect.fnUntraced(function* (names: ReadonlyArray<string>, wanted: ReadonlyArray<string>) {
  const [first = "@0", ...others] = names
  if (wanted.length > 0) {
    const same = names.find((name) => wanted.length === 1 && tagIn(name) === wanted[0])
    if (same !== undefined) return [same]
    if (others.length === 0) return [first]
    const description = `it holds several artifacts (${names.join(", ")}): eacr cp --from-archive or --from-layout takes one`
    return yield* new WrongCall({ description })
  }
  if (names.length === 0)
    return yield* new WrongCall({ description: "it holds no tags: name one, registry/repository:tag" })
  const duplicate = duplicateOf(names)
  if (duplicate === undefined) return names
  const description = `it holds several artifacts with the tag ${tagIn(duplicate)}: eacr cp --from-archive takes one`
  return yield* new WrongCall({ description })
})

const program = (file: string, to: string): Program.Program => {
  const [first = "", ...others] = to.split(",")
  const target = Place.written({ layout: Option.none() }, first, "target")
  const source = Place.written({ layout: Option.none(), archive: Option.some(file) }, "@0", "source")
  const hasTags = to.indexOf(":", to.lastIndexOf("/")) !== -1
  const copying = hasTags
    ? {
        imports: { [Program.artifacts]: ["Copy"] },
        lines: [`yield* Copy.run(source, target, "@0", { tags: ${Program.literal([target.reference, ...others])} })`]
      }
    : {
        imports: { [Program.artifacts]: ["Copy"], [Program.effect]: ["Stream"] },
        lines: ["yield* Stream.runForEach(source.tags, (tag) => Copy.run(source, target, tag))"]
      }
  return Program.join(source, target, copying)
}

export const importFrom = Command.make(
  "import",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("An OCI or Docker archive, an image layout, or - for an archive on standard input")
    ),
    to: Argument.String("repository").pipe(
      Argument.withDescription("registry/repository with a tag, or without for all that have tags")
    ),
    dryRun: dryRunFlag
  },
  ({ dryRun, file, to }) =>
    Verb.run(
      { what: `import ${file}`, program: program(file, to) },
      Effect.gen(function* () {
        const { repository, tags } = yield* Target.parse(to)
        const source = yield* openFile(file)
        const { store: target } = yield* Place.store({ layout: Option.none() }, repository)
        const references = yield* chosen(yield* Stream.runCollect(source.tags), tags)
        yield* printCopies(
          references.map((reference): Job => ({
            source,
            target,
            reference,
            options: {
              ...(tags.length === 0 ? {} : { tags }),
              // A stream is read in its own order, so that nothing large is kept of it.
              ...(file === "-" ? { concurrency: 1 } : {}),
              ...(dryRun ? { isDryRun: true } : {})
            }
          }))
        )
      })
    )
).pipe(
  Verb.described({
    does: "Push what an archive or an image layout holds",
    examples: [
      {
        command: "eacr import api.tar myregistry.azurecr.io/shop/api:v1.4.0",
        description: "What docker save or eacr export wrote"
      },
      { command: "eacr import - myregistry.azurecr.io/shop/api:v1 < api.tar", description: "From standard input" }
    ]
  })
)
