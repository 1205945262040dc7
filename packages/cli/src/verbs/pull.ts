/**
 * Pulls the files of an artifact, or of the artifacts attached to it.
 */
import * as Artifact from "@effect-acr/artifacts/Artifact"
import type { Reader } from "@effect-acr/artifacts/ContentStore"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Annotations from "@effect-acr/client/Annotations"
import * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Answer from "../answer.ts"
import { NotThere, Refused, type StoreError, WrongCall } from "../problem.ts"
import { overwriteFlag } from "../overwrite.ts"
import * as Output from "../output.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import * as Counted from "../progress/counted.ts"
import * as Progress from "../progress/progress.ts"
import { table } from "../table.ts"
import * as Verb from "../verb.ts"

const File = Schema.Struct({
  title: Schema.String,
  path: Schema.String,
  isFolder: Schema.Boolean,
  digest: Digest.Digest,
  size: Schema.Natural
})

export const document = Answer.document({
  artifacts: Schema.Array(
    Schema.Struct({
      digest: Digest.Digest,
      files: Schema.Array(File),
      /** Layers without a title, which are not written. */
      untitled: Schema.Array(Digest.Digest)
    })
  )
})

const flags = {
  output: Flag.String("output").pipe(
    Flag.withAlias("o"),
    Flag.withMetavar("DIR"),
    Flag.withDescription("The folder to write to. Defaults to the working directory; - prints a single file on stdout"),
    Flag.withDefault(".")
  ),
  attached: Flag.String("attached").pipe(
    Flag.withMetavar("TYPE"),
    Flag.withDescription("Pull the files of attached artifacts of this type, such as application/spdx+json"),
    Flag.optional
  ),
  overwrite: overwriteFlag(
    "Replace files that are there. Without it, one with other content is refused before any file is written"
  )
}

const isTitled = ({ annotations }: Descriptor): boolean => annotations?.[Annotations.title] !== undefined

const filesOf = (manifest: Manifest.Manifest): ReadonlyArray<Descriptor> =>
  manifest._tag === "ImageManifest" ? manifest.layers.filter(isTitled) : []

/** The artifact itself, or the artifacts attached to it, with their files. */
const listed = Effect.fnUntraced(function* (
  opened: Place.Opened<Reader<StoreError>>,
  platform: Option.Option<string>,
  attached: Option.Option<string>
) {
  const { reference, store } = opened
  const options = Option.isSome(platform) ? { platform: platform.value } : {}
  if (Option.isNone(attached)) return [yield* Artifact.files(store, reference, options)]
  const { digest } = yield* Place.resolve(opened, platform)
  const found = yield* Stream.runCollect(store.referrers(digest, { artifactType: attached.value }))
  if (found.length === 0) {
    return yield* new NotThere({ description: `nothing of the type ${attached.value} is attached to ${digest}` })
  }
  return yield* Effect.forEach(found, (referrer) => Artifact.files(store, referrer.digest))
})

const expectFiles = Effect.fnUntraced(function* (artifacts: ReadonlyArray<Artifact.Listed>) {
  const empty = artifacts.find(({ files, untitled }) => files.length === 0 && untitled.length > 0)
  if (empty === undefined) return
  const description = `${empty.manifest.digest} is an image, whose layers are not files: eacr export writes images`
  return yield* new WrongCall({ description })
})

/** Fails if two artifacts have a file of one name with different content: one would replace the other. */
const expectDistinct = Effect.fnUntraced(function* (artifacts: ReadonlyArray<Artifact.Listed>) {
  const found = new Map<string, { readonly content: string; readonly artifact: string }>()
  for (const { files, manifest } of artifacts) {
    for (const { layer, title } of files) {
      const first = found.get(title) ?? { content: layer.digest, artifact: manifest.digest }
      found.set(title, first)
      if (first.content === layer.digest || first.artifact === manifest.digest) continue
      return yield* new Refused({
        description: `two artifacts have a file ${title} with different content: ${first.artifact} and ${manifest.digest}`,
        help: "pull each by its digest into a folder of its own, without --attached"
      })
    }
  }
})

/** Prints the content of a single file. It is verified at its end: the exit code tells whether it is complete. */
const printFile = Effect.fnUntraced(function* ({
  artifacts,
  store
}: {
  readonly store: Reader<StoreError>
  readonly artifacts: ReadonlyArray<Artifact.Listed>
}) {
  const [file, ...others] = artifacts.flatMap(({ files }) => files)
  if (file === undefined) return yield* new NotThere({ description: "it has no files" })
  if (others.length > 0) {
    return yield* new WrongCall({
      description: `there are ${others.length + 1} files: -o DIR writes them into a folder`
    })
  }
  if (file.isFolder) {
    return yield* new WrongCall({ description: `${file.title} is a folder: -o DIR writes it into a folder` })
  }
  yield* Output.printAll(store.blob(file.layer).read(0))
})

const fileOf = ({ isFolder, layer, path, title }: Artifact.PulledFile): typeof File.Type => ({
  title,
  path,
  isFolder,
  digest: layer.digest,
  size: layer.size
})

const answerOf = (pulled: ReadonlyArray<Artifact.Pulled>): Answer.Answer =>
  Answer.make(
    document,
    {
      artifacts: pulled.map(({ files, manifest, untitled }) => ({
        digest: manifest.digest,
        files: files.map(fileOf),
        untitled: untitled.map(({ digest }) => digest)
      }))
    },
    {
      text: (view) =>
        table(
          view,
          ["PATH", "SIZE", "DIGEST"],
          pulled.flatMap(({ files }) => files.map(({ layer, path }) => [path, `${layer.size}`, layer.digest]))
        ),
      quiet: pulled.map(({ manifest }) => manifest.digest)
    }
  )

const printProgram = (reading: Program.Program, target: string, platform: string): Program.Program =>
  Program.join(reading, {
    imports: { [Program.artifacts]: ["Artifact"], [Program.effect]: ["Stdio", "Stream"] },
    lines: [
      `const { files } = yield* Artifact.files(store, ${target}${platform})`,
      "const stdio = yield* Stdio.Stdio",
      "for (const { layer } of files) yield* Stream.run(store.blob(layer).read(0), stdio.stdout())"
    ]
  })

const program = (
  artifact: string,
  output: string,
  platform: Option.Option<string>,
  attached: Option.Option<string>,
  overwrite: boolean,
  place: Place.Flags
): Program.Program => {
  const opened = Place.written(place, artifact)
  const name = Program.literal(opened.reference)
  const chosen = Option.isSome(platform) ? { platform: platform.value } : {}
  const options = Program.options({ overwrite })
  if (Option.isNone(attached)) {
    if (output === "-") return printProgram(opened, name, Program.options(chosen))
    const pulling = `Artifact.pull(store, ${name}, ${Program.literal(output)}, ${Program.literal({ ...chosen, overwrite })})`
    return Program.join(opened, { imports: { [Program.artifacts]: ["Artifact"] }, lines: [`yield* ${pulling}`] })
  }
  const referrers = Program.join(Place.resolved(place, artifact, platform, "subject"), {
    imports: { [Program.effect]: ["Stream"] },
    lines: [
      `const referrers = yield* Stream.runCollect(store.referrers(subject.digest, ${Program.literal({ artifactType: attached.value })}))`
    ]
  })
  if (output === "-") {
    const inner = printProgram({ imports: {}, lines: [] }, "referrer.digest", "")
    const lines = ["for (const referrer of referrers) {", ...inner.lines.map((line) => `  ${line}`), "}"]
    return Program.join(referrers, { ...inner, lines })
  }
  return Program.join(referrers, {
    imports: { [Program.artifacts]: ["Artifact"] },
    lines: [
      "const listed = yield* Effect.forEach(referrers, ({ digest }) => Artifact.files(store, digest))",
      `yield* Artifact.write(store, listed, ${Program.literal(output)}${options})`
    ]
  })
}

export const pull = Command.make(
  "pull",
  { artifact: Place.artifact(), platform: Place.platformFlag, ...flags, ...Place.readFlags },
  ({ artifact, attached, output, overwrite, platform, ...place }) =>
    Verb.run(
      { what: `pull ${artifact}`, program: program(artifact, output, platform, attached, overwrite, place) },
      Effect.gen(function* () {
        const opened = yield* Place.reader(place, artifact)
        const read = Effect.fnUntraced(function* (progress: Progress.Progress) {
          const store = Counted.reader(opened.store, progress, filesOf)
          const artifacts = yield* listed({ ...opened, store }, platform, attached)
          yield* expectFiles(artifacts)
          return { store, artifacts }
        })
        if (output === "-") {
          return yield* Progress.during(Progress.printsAgain, (progress) => Effect.flatMap(read(progress), printFile))
        }
        const pulled = yield* Progress.during(Progress.startsAgain, (progress) =>
          Effect.flatMap(read(progress), ({ artifacts, store }) =>
            Effect.andThen(expectDistinct(artifacts), Artifact.write(store, artifacts, output, { overwrite }))
          )
        )
        yield* Answer.print(answerOf(pulled))
      })
    )
).pipe(
  Verb.described({
    does: "Pull the files of an artifact, or of the artifacts attached to it. For images, use export",
    examples: [
      {
        command: "eacr pull myregistry.azurecr.io/site:v1 -o public",
        description: "Pull files and folders into a folder"
      },
      {
        command: "eacr pull myregistry.azurecr.io/shop/api:v1.4.0 --attached application/spdx+json -o -",
        description: "Print the SBOM of an image"
      }
    ]
  })
)
