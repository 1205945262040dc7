/**
 * Shows how two artifacts differ.
 */
import type { Reader } from "@effect-acr/artifacts/ContentStore"
import * as Difference from "@effect-acr/artifacts/Difference"
import * as Annotations from "@effect-acr/client/Annotations"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Platform from "@effect-acr/client/Platform"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Answer from "../answer.ts"
import { exitCodes } from "../exitCode.ts"
import type { StoreError } from "../problem.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import * as Counted from "../progress/counted.ts"
import * as Progress from "../progress/progress.ts"
import { size } from "../size.ts"
import { table, type View } from "../table.ts"
import * as Verb from "../verb.ts"

const Image = Schema.Struct({
  ...Difference.ImageDifference.fields,
  /** The files that differ, with `--files`. */
  files: Schema.optionalKey(Schema.Array(Difference.FileDifference))
})

type Image = typeof Image.Type

export const document = Answer.document({ ...Difference.Difference.fields, images: Schema.Array(Image) })

type Shown = Omit<typeof document.Type, "version">

const secondHelp = "Read the second artifact from"

const flags = {
  from: Place.fromFlags,
  to: {
    layout: Flag.withDescription(Place.toFlags.layout, `${secondHelp} an OCI image layout`),
    archive: Flag.withDescription(
      Place.toFlags.archive,
      `${secondHelp} an OCI or Docker archive (- for standard input)`
    )
  },
  files: Flag.Boolean("files").pipe(
    Flag.withDescription("Also compare the files of images, which reads all layers of images that differ"),
    Flag.withoutNegation,
    Flag.withDefault(false)
  )
}

type Row = readonly [platform: string, what: string, change: string, name: string, left: string, right: string]

const changeOf = (left: unknown, right: unknown): string => {
  if (left === undefined) return "+"
  return right === undefined ? "-" : "~"
}

const fieldRow =
  (platform: string, what: string) =>
  ({ left, name, right }: Difference.FieldDifference): Row => [
    platform,
    what,
    changeOf(left, right),
    name,
    left ?? "",
    right ?? ""
  ]

const stateText = (view: View, state: Difference.FileState | undefined): string => {
  if (state === undefined) return ""
  const { digest, mode, target, type } = state
  const content = digest === undefined ? [] : [size(view, state.size), digest.slice("sha256:".length).slice(0, 12)]
  return [type, mode.toString(8), ...content, ...(target === undefined ? [] : [target])].join(" ")
}

const fileRow =
  (view: View, platform: string) =>
  ({ left, path, right }: Difference.FileDifference): Row => [
    platform,
    "file",
    changeOf(left, right),
    path,
    stateText(view, left),
    stateText(view, right)
  ]

const layerRow =
  (view: View, platform: string, change: "+" | "-" | "=") =>
  (layer: Descriptor): Row => {
    const bytes = size(view, layer.size)
    const title = layer.annotations?.[Annotations.title]
    const name = title === undefined ? layer.digest : `${layer.digest} ${title}`
    return [platform, "layer", change, name, change === "+" ? "" : bytes, change === "-" ? "" : bytes]
  }

const manifestRow =
  (change: "+" | "-") =>
  ({ artifactType, digest, mediaType, platform }: Descriptor): Row => {
    const type = artifactType ?? mediaType
    const name = platform === undefined ? "" : Platform.format(platform)
    return [name, "manifest", change, type, change === "-" ? digest : "", change === "+" ? digest : ""]
  }

const imageRows =
  (view: View) =>
  ({ annotations, config, files = [], isSame, layers, left, platform = "", right }: Image): ReadonlyArray<Row> => [
    ...(platform === "" ? [] : [[platform, "image", isSame ? "=" : "~", "", left, right] satisfies Row]),
    ...layers.shared.map(layerRow(view, platform, "=")),
    ...layers.onlyLeft.map(layerRow(view, platform, "-")),
    ...layers.onlyRight.map(layerRow(view, platform, "+")),
    ...config.map(fieldRow(platform, "config")),
    ...annotations.map(fieldRow(platform, "annotation")),
    ...files.map(fileRow(view, platform))
  ]

const header = ["PLATFORM", "WHAT", "", "NAME", "FIRST", "SECOND"]

const text =
  ({ annotations, images, isSame, left, onlyLeft, onlyRight, right }: Shown) =>
  (view: View): ReadonlyArray<string> =>
    table(view, header, [
      ["", "artifact", isSame ? "=" : "~", "", left.digest, right.digest],
      ...annotations.map(fieldRow("", "annotation")),
      ...onlyLeft.map(manifestRow("-")),
      ...onlyRight.map(manifestRow("+")),
      ...images.flatMap(imageRows(view))
    ])

type Side = Difference.Side<StoreError>

/** Compares the files of images that differ. */
const withFiles = (left: Reader<StoreError>, right: Reader<StoreError>, image: Difference.ImageDifference) =>
  image.isSame
    ? Effect.succeed<Image>({ ...image, files: [] })
    : Effect.map(
        Difference.files(
          { reader: left, root: { digest: image.left } },
          { reader: right, root: { digest: image.right } }
        ),
        (files): Image => ({ ...image, files })
      )

const layersOf: Counted.Wanted = (manifest) => (manifest._tag === "ImageManifest" ? manifest.layers : [])

/** Shows the progress, because all layers of images that differ are read. */
const allWithFiles = (
  left: Reader<StoreError>,
  right: Reader<StoreError>,
  images: ReadonlyArray<Difference.ImageDifference>
) =>
  Progress.during(Progress.readsAgain, (progress) => {
    const seen = new Set<string>()
    const counted = (reader: Reader<StoreError>) => Counted.reader(reader, progress, layersOf, seen)
    return Effect.forEach(images, (image) => withFiles(counted(left), counted(right), image))
  })

const side = (flags: Place.Flags, name: string, platform: Option.Option<string>) =>
  Effect.gen(function* () {
    const opened = yield* Place.reader(flags, name)
    return { reader: opened.store, root: yield* Place.resolve(opened, platform) } satisfies Side
  })

const resolved = (store: string, { reference }: Place.Written, platform: Option.Option<string>, variable: string) => {
  const options = Option.isSome(platform) ? `, { platform: ${Program.literal(platform.value)} }` : ""
  return {
    imports: { [Program.artifacts]: ["Artifact"] },
    lines: [`const ${variable} = yield* Artifact.resolve(${store}, ${Program.literal(reference)}${options})`]
  } satisfies Program.Program
}

const program = (
  [left, right]: readonly [string, string],
  [from, to]: readonly [Place.Flags, Place.Flags],
  platform: Option.Option<string>,
  hasFiles: boolean
): Program.Program => {
  const first = Place.written(from, left, "first")
  const second = Place.written(to, right, "second")
  const compare = "Difference.compare({ reader: first, root: left }, { reader: second, root: right })"
  const files = [
    "for (const image of difference.images) {",
    "  const left = { reader: first, root: { digest: image.left } }",
    "  const right = { reader: second, root: { digest: image.right } }",
    "  yield* Console.log(yield* Difference.files(left, right))",
    "}"
  ]
  return Program.join(
    first,
    resolved("first", first, platform, "left"),
    second,
    resolved("second", second, platform, "right"),
    { imports: { [Program.artifacts]: ["Difference"] }, lines: [`const difference = yield* ${compare}`] },
    Program.print("difference"),
    { imports: {}, lines: hasFiles ? files : [] }
  )
}

const names = ["first", "second"] as const

export const diff = Command.make(
  "diff",
  { left: Place.artifact(names[0]), right: Place.artifact(names[1]), platform: Place.platformFlag, ...flags },
  ({ files, from, left, platform, right, to }) =>
    Verb.answer(
      { what: `compare ${left} with ${right}`, program: program([left, right], [from, to], platform, files) },
      Effect.gen(function* () {
        const one = yield* side(from, left, platform)
        const other = yield* side(to, right, platform)
        const difference = yield* Difference.compare(one, other)
        const images = files ? yield* allWithFiles(one.reader, other.reader, difference.images) : difference.images
        const shown: Shown = { ...difference, images }
        return Answer.make(document, shown, {
          text: text(shown),
          code: difference.isSame ? exitCodes.done : exitCodes.no
        })
      })
    )
).pipe(
  Verb.described({
    does: "Show how two artifacts differ: platforms, layers, configuration and annotations. Exits with 10 if they differ",
    examples: [
      {
        command: "eacr diff myregistry.azurecr.io/shop/api:v1.4.0 myregistry.azurecr.io/shop/api:v1.5.0",
        description: "Show what a version changes"
      },
      {
        command:
          "eacr diff myregistry.azurecr.io/shop/api:v1.4.0 myregistry.azurecr.io/shop/api:v1.5.0 --platform linux/amd64 --files",
        description: "Also show which files it changes"
      }
    ]
  })
)
