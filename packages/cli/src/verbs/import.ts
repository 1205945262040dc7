/**
 * Pushes the artifacts of an archive or a layout.
 */
import * as ImageArchive from "@effect-acr/artifacts/ImageArchive"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import type * as Copy from "@effect-acr/artifacts/Copy"
import type { Reader } from "@effect-acr/artifacts/ContentStore"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { dryRunFlag } from "../dryRun.ts"
import { type StoreError, WrongCall } from "../problem.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import * as Target from "../target.ts"
import { type Job, printCopies } from "../transfer.ts"
import * as Verb from "../verb.ts"

export { document } from "../transfer.ts"

/** Whether a path is a folder, and so a layout and no archive. */
const isLayout = (file: string) =>
  Effect.map(
    FileSystem.FileSystem.use((files) => files.stat(file)),
    ({ type }) => type === "Directory"
  )

/** Opens a folder as a layout, and a file or standard input as an archive. */
const openFile = Effect.fnUntraced(function* (file: string) {
  if (file === "-") {
    const { stdin } = yield* Stdio.Stdio
    const archive: Reader<StoreError> = yield* ImageArchive.fromStream(stdin)
    return archive
  }
  const reader: Reader<StoreError> = yield* (yield* isLayout(file)) ? ImageLayout.open(file) : ImageArchive.read(file)
  return reader
})

/** Other commands take the target first. */
const expectOrder = Effect.fnUntraced(function* (file: string, to: string) {
  const files = yield* FileSystem.FileSystem
  const isThere = (path: string) => Effect.orElseSucceed(files.exists(path), () => false)
  if (!Target.isName(file) || (Target.isName(to) && !(yield* isThere(to))) || (yield* isThere(file))) return
  return yield* new WrongCall({ description: `the file comes before the repository: eacr import ${to} ${file}` })
})

const duplicateOf = (names: ReadonlyArray<string>): string | undefined =>
  names.find((name, index) => names.findIndex((other) => Target.tagIn(other) === Target.tagIn(name)) !== index)

/** The artifacts to push: all with a tag, or the one artifact that gets the tags of the call. */
const chosen = Effect.fnUntraced(function* (names: ReadonlyArray<string>, wanted: ReadonlyArray<string>) {
  const [first = "@0", ...others] = names
  if (wanted.length > 0) {
    const same = names.find((name) => wanted.length === 1 && Target.tagIn(name) === wanted[0])
    if (same !== undefined) return [same]
    if (others.length === 0) return [first]
    const description = `it holds several artifacts (${names.join(", ")}): eacr cp --from-archive or --from-layout takes one`
    return yield* new WrongCall({ description })
  }
  if (names.length === 0)
    return yield* new WrongCall({ description: "it holds no tags: name one, registry/repository:tag" })
  const duplicate = duplicateOf(names)
  if (duplicate === undefined) return names
  const description = `it holds several artifacts with the tag ${Target.tagIn(duplicate)}: eacr cp --from-archive takes one`
  return yield* new WrongCall({ description })
})

const optionsOf = (file: string, tags: ReadonlyArray<string>, isDryRun: boolean): Copy.Options => ({
  ...(tags.length === 0 ? {} : { tags }),
  // A stream is read in its own order, so that no large part of it is kept in memory.
  ...(file === "-" ? { concurrency: 1 } : {}),
  ...(isDryRun ? { isDryRun } : {})
})

/** Writes the part of a program that finds the one artifact for the tags of the call, as `chosen` does. */
const chosenProgram = (tags: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [tag, ...others] = tags
  if (tag === undefined) return []
  const first = 'names[0] ?? "@0"'
  const same =
    others.length === 0
      ? `names.find((name) => name.slice(name.lastIndexOf(":") + 1) === ${Program.literal(tag)})`
      : undefined
  return [
    "const names = yield* Stream.runCollect(source.tags)",
    ...(same === undefined ? [] : [`const same = ${same}`]),
    `const reference = ${same === undefined ? first : `same ?? ${first}`}`,
    `if (${same === undefined ? "" : "same === undefined && "}names.length > 1) return yield* Effect.fail("it holds several artifacts")`
  ]
}

const program = (file: string, isFolder: boolean, to: string, dryRun: boolean): Program.Program => {
  const [first = "", ...others] = to.split(",")
  const target = Place.written({ layout: Option.none() }, first, "target")
  const place = isFolder ? { layout: Option.some(file) } : { layout: Option.none<string>(), archive: Option.some(file) }
  const source = Place.written(place, "", "source")
  const tags = to.indexOf(":", to.lastIndexOf("/")) === -1 ? [] : [target.reference, ...others]
  const options = Program.options(optionsOf(file, tags, dryRun))
  return Program.join(source, target, {
    imports: { [Program.artifacts]: ["Copy"], [Program.effect]: ["Stream"] },
    lines:
      tags.length === 0
        ? [`yield* Stream.runForEach(source.tags, (tag) => Copy.run(source, target, tag${options}))`]
        : [...chosenProgram(tags), `yield* Copy.run(source, target, reference${options})`]
  })
}

export const importFrom = Command.make(
  "import",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("An OCI or Docker archive, an image layout, or - for an archive on standard input")
    ),
    to: Argument.String("repository").pipe(
      Argument.withDescription("registry/repository with a tag for one artifact, or without for all that have tags")
    ),
    dryRun: dryRunFlag
  },
  Effect.fnUntraced(function* ({ dryRun, file, to }) {
    // A missing file fails when it is opened.
    const isFolder = yield* Effect.orElseSucceed(isLayout(file), () => false)
    return yield* Verb.run(
      { what: `import ${file}`, program: program(file, isFolder, to, dryRun) },
      Effect.gen(function* () {
        yield* expectOrder(file, to)
        const { repository, tags } = yield* Target.parse(to)
        const source = yield* openFile(file)
        const { registry, store: target } = yield* Place.store({ layout: Option.none() }, repository)
        const references = yield* chosen(yield* Stream.runCollect(source.tags), tags)
        const options = optionsOf(file, tags, dryRun)
        const jobs = references.map((reference): Job => ({ source, target, reference, options }))
        yield* printCopies(jobs, {
          registry,
          ...(tags.length === 0 ? {} : { takesCosignTags: "eacr cp --cosign-tags copies them" })
        })
      })
    )
  })
).pipe(
  Verb.described({
    does: "Push the artifacts of an archive or an image layout. Layers are pushed as they are, also without compression",
    examples: [
      {
        command: "eacr import api.tar myregistry.azurecr.io/shop/api:v1.4.0",
        description: "Push an archive that docker save or eacr export wrote"
      },
      { command: "eacr import - myregistry.azurecr.io/shop/api:v1 < api.tar", description: "From standard input" }
    ]
  })
)
