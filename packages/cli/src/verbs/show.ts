/**
 * Shows what an artifact is.
 */
import * as Summary from "@effect-acr/artifacts/Summary"
import * as Annotations from "@effect-acr/client/Annotations"
import * as ChangeableAttributes from "@effect-acr/client/ChangeableAttributes"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import type { ImageConfig } from "@effect-acr/client/ImageConfig"
import * as Platform from "@effect-acr/client/Platform"
import type * as Registries from "@effect-acr/client/Registries"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Answer from "../answer.ts"
import * as LeftBehind from "../leftBehind.ts"
import * as Locks from "../locks.ts"
import * as Output from "../output.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import { settings } from "../settings.ts"
import { size } from "../size.ts"
import { pairs, type View } from "../table.ts"
import * as Verb from "../verb.ts"

export const document = Answer.document({
  ...Summary.Summary.fields,
  /** The tags of the digest. Only the management API of Azure Container Registry lists them. */
  tags: Schema.optionalKey(Schema.Array(Schema.String)),
  /** The lock of the manifest, if the registry reports locks. */
  lock: Schema.optionalKey(ChangeableAttributes.ChangeableAttributes),
  /** The lock of the tag, if the call names one. */
  tagLock: Schema.optionalKey(ChangeableAttributes.ChangeableAttributes),
  /** The lock of the repository. */
  repositoryLock: Schema.optionalKey(ChangeableAttributes.ChangeableAttributes)
})

type Shown = Omit<typeof document.Type, "version">

/** The tags of a digest, and the locks that may forbid changing or deleting the named object. */
const managed = ({ reference: { tag }, registry, repository }: Registries.Opened, digest: Digest.Digest) =>
  Effect.gen(function* () {
    const manifest = yield* Locks.ifTold(registry.manifestProperties(repository, digest))
    if (Option.isNone(manifest)) return {}
    const ofTag = tag === undefined ? Option.none() : yield* Locks.ifTold(registry.tagProperties(repository, tag))
    const ofRepository = yield* Locks.ifTold(registry.repositoryProperties(repository))
    return {
      tags: manifest.value.tags,
      lock: lockOf(manifest.value),
      ...(Option.isSome(ofTag) ? { tagLock: lockOf(ofTag.value) } : {}),
      ...(Option.isSome(ofRepository) ? { repositoryLock: lockOf(ofRepository.value) } : {})
    }
  })

const lockOf = ({ canDelete, canList, canRead, canWrite }: ChangeableAttributes.ChangeableAttributes) => ({
  canDelete,
  canList,
  canRead,
  canWrite
})

type Line = readonly [name: string, values: string | ReadonlyArray<string>]

const given = (name: string, value: string | ReadonlyArray<string> | undefined): ReadonlyArray<Line> =>
  value === undefined || value.length === 0 ? [] : [[name, value]]

const namesAndValues = (values: Readonly<Record<string, string>> | undefined): ReadonlyArray<string> =>
  Object.entries(values ?? {}).map(([name, value]) => `${name}=${value}`)

const words = (command: ReadonlyArray<string> | undefined): string | undefined =>
  command === undefined || command.length === 0 ? undefined : JSON.stringify(command)

const ofConfig = ({ author, config = {}, created }: ImageConfig): ReadonlyArray<Line> => [
  ...given("created", created),
  ...given("author", author),
  ...given("entrypoint", words(config.Entrypoint)),
  ...given("cmd", words(config.Cmd)),
  ...given("workdir", config.WorkingDir),
  ...given("user", config.User),
  ...given("env", config.Env),
  ...given("ports", Object.keys(config.ExposedPorts ?? {})),
  ...given("volumes", Object.keys(config.Volumes ?? {})),
  ...given("labels", namesAndValues(config.Labels))
]

const layerLine = (view: View, layer: Descriptor): string => {
  const title = layer.annotations?.[Annotations.title]
  return [layer.digest, size(view, layer.size), title ?? layer.mediaType].join("  ")
}

const entryName = ({ annotations, artifactType, mediaType, platform }: Descriptor): string => {
  if (annotations?.["vnd.docker.reference.type"] !== undefined) return annotations["vnd.docker.reference.type"]
  return platform === undefined ? (artifactType ?? mediaType) : Platform.format(platform)
}

const entryLine = (view: View, { descriptor, totalBytes }: Summary.SummaryEntry): string =>
  [entryName(descriptor), descriptor.digest, totalBytes === undefined ? "missing" : size(view, totalBytes)].join("  ")

const isOpen = ({ canDelete, canList, canRead, canWrite }: ChangeableAttributes.ChangeableAttributes): boolean =>
  canDelete && canList && canRead && canWrite

/** The locks of the tag, the manifest and the repository. Each forbids operations by itself. */
const locksOf = ({ lock, repositoryLock, tagLock }: Shown): ReadonlyArray<string> => {
  if (lock === undefined) return []
  const locks = [["the tag ", tagLock] as const, ["", lock] as const, ["the repository ", repositoryLock] as const]
  const closed = locks.flatMap(([of, one]) => (one === undefined || isOpen(one) ? [] : [`${of}${forbidden(one)}`]))
  return closed.length === 0 ? ["none"] : closed
}

const forbidden = ({ canDelete, canList, canRead, canWrite }: ChangeableAttributes.ChangeableAttributes): string => {
  const operations = Object.entries({ write: canWrite, delete: canDelete, list: canList, read: canRead })
  const against = operations.filter(([, isAllowed]) => !isAllowed).map(([name]) => name)
  return `against ${against.join(", ")}`
}

const text =
  (shown: Shown) =>
  (view: View): ReadonlyArray<string> => {
    const { descriptor, imageConfig, platform } = shown
    return pairs(view, [
      ["kind", shown.kind],
      ...given("artifact type", shown.artifactType),
      ["media type", descriptor.mediaType],
      ["digest", descriptor.digest],
      ["total size", size(view, shown.totalBytes)],
      ...given("platform", platform === undefined ? undefined : Platform.format(platform)),
      ...given("tags", shown.tags),
      ...given("lock", locksOf(shown)),
      ...given("subject", shown.subject),
      ...given(
        "manifests",
        shown.entries.map((entry) => entryLine(view, entry))
      ),
      ...given(
        "layers",
        shown.layers.map((layer) => layerLine(view, layer))
      ),
      ...given("config", shown.config?.digest),
      ...(imageConfig === undefined ? [] : ofConfig(imageConfig)),
      ...given("annotations", namesAndValues(shown.annotations)),
      ...given(
        "referrers",
        shown.referrers.map(({ artifactType, count }) => `${count}  ${artifactType}`)
      )
    ])
  }

/** An index has no configuration of its own. Tells how to see that of its first image. */
const tellImages = Effect.fnUntraced(function* ({ entries, imageConfig }: Shown) {
  const { format } = yield* settings
  const [platform] = entries.flatMap(({ descriptor }) =>
    descriptor.platform === undefined ? [] : [descriptor.platform]
  )
  if (format !== "text" || imageConfig !== undefined || platform === undefined) return
  yield* Output.tell(`to see labels, environment and commands of an image: --platform ${Platform.format(platform)}`)
})

const program = (artifact: string, platform: Option.Option<string>, place: Place.Flags): Program.Program =>
  Program.join(
    Place.resolved(place, artifact, platform, "root"),
    { imports: { [Program.artifacts]: ["Summary"] }, lines: ["const summary = yield* Summary.read(store, root)"] },
    Program.print("summary")
  )

export const show = Command.make(
  "show",
  { artifact: Place.artifact(), platform: Place.platformFlag, ...Place.readFlags },
  ({ artifact, platform, ...place }) =>
    Verb.run(
      { what: `read ${artifact}`, program: program(artifact, platform, place) },
      Effect.gen(function* () {
        const opened = yield* Place.reader(place, artifact)
        const root = yield* Place.resolve(opened, platform)
        const summary = yield* Summary.read(opened.store, root)
        const told = Option.isSome(opened.registry) ? yield* managed(opened.registry.value, root.digest) : {}
        const shown: Shown = {
          ...summary,
          ...told
        }
        yield* Answer.print(Answer.make(document, shown, { text: text(shown), quiet: [root.digest] }))
        yield* LeftBehind.tellCosignTags(opened.store, root.digest)
        yield* tellImages(shown)
      })
    )
).pipe(
  Verb.described({
    does: "Show what an artifact is: platforms, layers, configuration, annotations, tags and referrers. Tags in which cosign 2 stored signatures are named below it",
    examples: [
      { command: "eacr show myregistry.azurecr.io/shop/api:v1.4.0", description: "Describe an image" },
      {
        command: "eacr show myregistry.azurecr.io/shop/api:v1.4.0 --platform linux/arm64",
        description: "Describe the image for one platform, with its configuration"
      }
    ]
  })
)
