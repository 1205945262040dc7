/**
 * Artifacts in one file: what `export` and `cp --to-archive` write.
 */
import type { Reader } from "@effect-acr/artifacts/ContentStore"
import * as ImageArchive from "@effect-acr/artifacts/ImageArchive"
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Answer from "./answer.ts"
import { Refused, replacesFiles, type StoreError, WrongCall } from "./problem.ts"
import * as LeftBehind from "./leftBehind.ts"
import * as Overwrite from "./overwrite.ts"
import * as Output from "./output.ts"
import * as Place from "./place.ts"
import * as Program from "./program.ts"
import * as Counted from "./progress/counted.ts"
import * as Progress from "./progress/progress.ts"
import { table } from "./table.ts"
import * as Target from "./target.ts"
import * as Verb from "./verb.ts"

/** What was written into a file. */
export const document = Answer.document({
  file: Schema.String,
  artifacts: Schema.Array(Schema.Struct({ name: Schema.String, digest: Digest.Digest }))
})

/** What to write where. */
export interface Job {
  readonly names: ReadonlyArray<string>
  /** The name of a single artifact in the file. Defaults to its name in the source. */
  readonly newNames?: ReadonlyArray<string>
  readonly place: Place.Flags
  /** `-` for standard output. */
  readonly file: string
  /** Whether an existing file is replaced. */
  readonly overwrite: boolean
  readonly options: ImageArchive.WriteOptions & { readonly platform?: string }
}

export const overwriteFlag = Overwrite.overwriteFlag(
  "Replace an existing archive. It stays until the new one is complete"
)

type Opened = Place.Opened<Reader<StoreError>>

/** Artifacts of one store. */
export interface Source {
  readonly store: Reader<StoreError>
  readonly artifacts: ReadonlyArray<Opened>
}

const sourceOf = (first: Opened, others: ReadonlyArray<Opened>): Source => ({
  store: first.store,
  artifacts: [first, ...others]
})

/** Fails if a file comes first and an artifact last: the names of files and of artifacts in registries differ. */
const expectOrder = (names: ReadonlyArray<string>, file: string) => {
  const last = names.find((name) => !Target.isName(name))
  if (last === undefined || !Place.isArtifact(file)) return Effect.void
  const artifacts = [...names.filter((name) => name !== last), file]
  return new WrongCall({ description: `the file comes last: eacr export ${[...artifacts, last].join(" ")}` })
}

const isElsewhere = (place: Place.Flags): boolean =>
  Option.isSome(place.layout) || (place.archive !== undefined && Option.isSome(place.archive))

/** Opens the one place of all artifacts. */
export const open = Effect.fnUntraced(function* (place: Place.Flags, names: ReadonlyArray<string>) {
  const [first = "", ...others] = names
  const opened = yield* Place.reader(place, first)
  const { store } = opened
  if (isElsewhere(place)) {
    return sourceOf(
      opened,
      others.map((reference) => ({ ...opened, reference }))
    )
  }
  const more: Array<Opened> = []
  for (const name of others) {
    const other = yield* Place.reader(place, name)
    if (!Place.isSame(other.store, store)) {
      const description = `${name} is in another repository than ${first}: an archive is of one`
      return yield* new WrongCall({ description })
    }
    more.push(other)
  }
  return sourceOf(opened, more)
})

/** Gives the artifact other names. */
const renamed = (source: Source, names: ReadonlyArray<string>): Source => {
  const [artifact] = source.artifacts
  if (names.length === 0 || artifact === undefined) return source
  const resolve = (name: string) => source.store.resolve(names.includes(name) ? artifact.reference : name)
  const store = { ...source.store, resolve }
  return { store, artifacts: names.map((reference) => ({ ...artifact, store, reference })) }
}

/** The names of the artifacts in the store. */
export const referencesOf = ({ artifacts }: Source): ReadonlyArray<string> =>
  artifacts.map(({ reference }) => reference)

/** Resolves the names to digests. */
const digestsOf = ({ artifacts }: Source, platform: string | undefined) =>
  Effect.forEach(artifacts, (opened) =>
    Effect.map(Place.resolve(opened, Option.fromUndefinedOr(platform)), ({ digest }) => ({
      name: opened.reference,
      digest
    }))
  )

const blobsOf = (manifest: Manifest.Manifest) => Manifest.references(manifest).blobs

const expectPipe = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  if (!(yield* stdio.stdoutIsTerminal)) return
  return yield* new WrongCall({ description: "standard output is a terminal: name a file, or use a pipe" })
})

/** Fails if no archive can have this name, or a file has it that is not to be replaced. Checked before anything is read. */
const expectWritable = Effect.fnUntraced(function* (file: string, overwrite: boolean) {
  yield* Overwrite.expectFolder(file)
  const found = yield* Effect.option((yield* FileSystem.FileSystem).stat(file))
  if (Option.isSome(found) && found.value.type === "Directory") {
    return yield* new WrongCall({ description: `${file} is a folder: name a file in it` })
  }
  if (Option.isSome(found) && found.value.type !== "File") {
    const description = `${file} is a pipe or a device: with - the archive goes to standard output`
    return yield* new WrongCall({ description })
  }
  if (overwrite || !(yield* Overwrite.isThere(file))) return
  return yield* new Refused({ description: `${file} is there already`, help: replacesFiles })
})

const answerOf = (file: string, artifacts: (typeof document.Type)["artifacts"]): Answer.Answer =>
  Answer.make(
    document,
    { file, artifacts },
    {
      text: (view) =>
        table(
          view,
          ["DIGEST", "NAME"],
          artifacts.map(({ digest, name }) => [digest, name])
        ),
      quiet: artifacts.map(({ digest }) => digest)
    }
  )

const program = ({ file, names, newNames = [], options, place }: Job): Program.Program => {
  const source = Place.written(place, names[0] ?? "")
  const references = names.map((name) => Place.written(place, name).reference)
  const args = Program.literal(newNames.length === 0 ? references : newNames)
  const suffix = Program.options(options)
  const name = newNames.length === 0 ? "store" : "renamed"
  const renaming =
    newNames.length === 0
      ? []
      : [`const renamed = { ...store, resolve: () => store.resolve(${Program.literal(source.reference)}) }`]
  if (file === "-") {
    return Program.join(source, {
      imports: { [Program.artifacts]: ["ImageArchive"], [Program.effect]: ["Stdio", "Stream"] },
      lines: [
        ...renaming,
        "const stdio = yield* Stdio.Stdio",
        `yield* Stream.run(ImageArchive.write(${name}, ${args}${suffix}), stdio.stdout())`
      ]
    })
  }
  return Program.join(source, {
    imports: { [Program.artifacts]: ["ImageArchive"] },
    lines: [...renaming, `yield* ImageArchive.save(${name}, ${args}, ${Program.literal(file)}${suffix})`]
  })
}

/** Reports the tags of cosign that are not in an archive with referrers. Tags that the call names are in it. */
const tellLeftBehind = (
  { store }: Source,
  artifacts: ReadonlyArray<{ readonly name: string; readonly digest: Digest.Digest }>,
  { format, referrers }: ImageArchive.WriteOptions
) => {
  if (format === "docker" || referrers === false) return Effect.void
  const names = new Set(artifacts.map(({ name }) => name))
  const digests = artifacts.map(({ digest }) => digest)
  return LeftBehind.tell(
    Effect.map(LeftBehind.cosignTags(store, digests), (tags) => {
      const others = tags.filter((tag) => !names.has(tag))
      return LeftBehind.cosignLine(others, `eacr export takes them by name, ${others.join(", ")}`)
    })
  )
}

/** Writes artifacts into an archive and prints its contents, unless the archive itself goes to standard output. */
export const printArchive = (what: string, job: Job) =>
  Verb.run(
    { what, program: program(job) },
    Effect.gen(function* () {
      const { file, names, newNames = [], options, overwrite, place } = job
      if (names.length === 0) {
        const description = "the file is missing: the artifact comes first, then the file (- for standard output)"
        return yield* new WrongCall({ description })
      }
      if (newNames.length > 0 && names.length > 1) {
        return yield* new WrongCall({ description: "only one artifact can have another name" })
      }
      if (!isElsewhere(place)) yield* expectOrder(names, file)
      if (file === "-") yield* expectPipe
      else yield* expectWritable(file, overwrite)
      const source = renamed(yield* open(place, names), newNames)
      const artifacts = yield* digestsOf(source, options.platform)
      const counted = (progress: Progress.Progress) => Counted.reader(source.store, progress, blobsOf)
      if (file === "-") {
        yield* Progress.during(Progress.printsAgain, (progress) =>
          Output.printAll(ImageArchive.write(counted(progress), referencesOf(source), options))
        )
        return yield* tellLeftBehind(source, artifacts, options)
      }
      yield* Progress.during(Progress.startsAgain, (progress) =>
        ImageArchive.save(counted(progress), referencesOf(source), file, { ...options, overwrite })
      )
      yield* Answer.print(answerOf(file, artifacts))
      yield* tellLeftBehind(source, artifacts, options)
    })
  )
