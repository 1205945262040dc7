/**
 * Compares two artifacts by their manifests and configurations.
 */
import { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import type { ImageConfig } from "@effect-acr/client/ImageConfig"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as Platform from "@effect-acr/client/Platform"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Reader } from "../../ContentStore.ts"
import { platformOf } from "../configs.ts"
import { numbering } from "../platforms.ts"
import { imageConfigOf, readRoot } from "../summary.ts"
import type { GraphError } from "../walk.ts"

/**
 * A field in which two artifacts differ.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FieldDifference = Schema.Struct({
  /** The name of the field: `Entrypoint`, `Env.PATH`, `Labels.version`, or the name of an annotation. */
  name: Schema.String,
  /** The value in the first artifact, as text or as JSON. Absent if it lacks the field. */
  left: Schema.optionalKey(Schema.String),
  /** The value in the second artifact. */
  right: Schema.optionalKey(Schema.String)
})

/**
 * One field in which two artifacts differ.
 *
 * @category models
 * @since 0.1.0
 */
export type FieldDifference = typeof FieldDifference.Type

/**
 * The layers of two images, or the files of two artifacts.
 *
 * @category schemas
 * @since 0.1.0
 */
export const LayersDifference = Schema.Struct({
  /** Layers that both have. */
  shared: Schema.Array(Descriptor),
  /** Layers that only the first one has, the lowest first. */
  onlyLeft: Schema.Array(Descriptor),
  /** Layers that only the second one has, the lowest first. */
  onlyRight: Schema.Array(Descriptor)
})

/**
 * The layers of two images, compared.
 *
 * @category models
 * @since 0.1.0
 */
export type LayersDifference = typeof LayersDifference.Type

/**
 * Two images for one platform, or two artifacts.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ImageDifference = Schema.Struct({
  /** The platform by which they were paired, if an index names it. */
  platform: Schema.optionalKey(Schema.String),
  /** The first one. */
  left: Digest.Digest,
  /** The second one. */
  right: Digest.Digest,
  /** Whether their digests are the same. */
  isSame: Schema.Boolean,
  /** Their layers. */
  layers: LayersDifference,
  /** The differences of their configurations, without the history. */
  config: Schema.Array(FieldDifference),
  /** The differences of their annotations. */
  annotations: Schema.Array(FieldDifference)
})

/**
 * Two images for one platform, compared.
 *
 * @category models
 * @since 0.1.0
 */
export type ImageDifference = typeof ImageDifference.Type

/**
 * The difference of two artifacts.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Difference = Schema.Struct({
  /** Whether the digests of the artifacts are the same. */
  isSame: Schema.Boolean,
  /** The first artifact. */
  left: Descriptor,
  /** The second artifact. */
  right: Descriptor,
  /** The differences of their indexes, except the manifests that they list. */
  annotations: Schema.Array(FieldDifference),
  /** Manifests that only the index of the first artifact lists. */
  onlyLeft: Schema.Array(Descriptor),
  /** Manifests that only the index of the second artifact lists. */
  onlyRight: Schema.Array(Descriptor),
  /** The paired images. */
  images: Schema.Array(ImageDifference)
})

/**
 * The difference of two artifacts.
 *
 * @category models
 * @since 0.1.0
 */
export type Difference = typeof Difference.Type

/** Images that are compared at the same time. */
const readsAtOnce = 4

type Fields = ReadonlyMap<string, string>

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))

const fieldsOf = (
  values: Readonly<Record<string, unknown>> | undefined,
  prefix = ""
): ReadonlyArray<[string, string]> =>
  Object.entries(values ?? {}).flatMap(([name, value]): ReadonlyArray<[string, string]> =>
    value === undefined ? [] : [[`${prefix}${name}`, textOf(value)]]
  )

/** The variables of an environment by their names. */
const variablesOf = (env: ReadonlyArray<string> = []): ReadonlyArray<[string, string]> =>
  env.map((variable) => {
    const at = variable.indexOf("=")
    return at < 0 ? [`Env.${variable}`, ""] : [`Env.${variable.slice(0, at)}`, variable.slice(at + 1)]
  })

const configFields = ({ config = {}, history: _history, rootfs: _rootfs, ...rest }: ImageConfig): Fields => {
  const { Env, Labels, ...container } = config
  return new Map([...fieldsOf(rest), ...fieldsOf(container), ...variablesOf(Env), ...fieldsOf(Labels, "Labels.")])
}

const differing = (left: Fields, right: Fields): ReadonlyArray<FieldDifference> =>
  Array.from(new Set([...left.keys(), ...right.keys()]))
    .filter((name) => left.get(name) !== right.get(name))
    .toSorted()
    .map((name) => {
      const one = left.get(name)
      const other = right.get(name)
      return {
        name,
        ...(one === undefined ? {} : { left: one }),
        ...(other === undefined ? {} : { right: other })
      }
    })

const annotationsOf = (view: Manifest.Manifest): Fields =>
  new Map(view._tag === "UnknownManifest" ? [] : fieldsOf(view.annotations))

const layersOf = (view: Manifest.Manifest): ReadonlyArray<Descriptor> =>
  view._tag === "ImageManifest" ? view.layers : []

/** Descriptors whose digests are not in another list. */
const without = (
  descriptors: ReadonlyArray<Descriptor>,
  others: ReadonlyArray<Descriptor>
): ReadonlyArray<Descriptor> => {
  const digests = new Set(others.map(({ digest }) => digest))
  return descriptors.filter(({ digest }) => !digests.has(digest))
}

const compareLayers = (left: ReadonlyArray<Descriptor>, right: ReadonlyArray<Descriptor>): LayersDifference => {
  const onlyLeft = without(left, right)
  return { shared: without(left, onlyLeft), onlyLeft, onlyRight: without(right, left) }
}

/** The parts of one image that are compared. */
interface Read {
  readonly root: Descriptor
  readonly view: Manifest.Manifest
  readonly config: Option.Option<ImageConfig>
}

const readImage = <E>(reader: Reader<E>, root: Descriptor): Effect.Effect<Read, E | GraphError> =>
  Effect.gen(function* () {
    const { view } = yield* readRoot(reader, root)
    return { root, view, config: yield* imageConfigOf(reader, view) }
  })

/** The fields to compare of a configuration that is not an image's: its identity. */
const otherConfig = (view: Manifest.Manifest): ReadonlyArray<[string, string]> =>
  view._tag === "ImageManifest"
    ? fieldsOf({ "media type": view.config.mediaType, digest: view.config.digest, "artifact type": view.artifactType })
    : []

const fieldsOfRead = ({ config, view }: Read): Fields =>
  Option.match(config, { onNone: () => new Map(otherConfig(view)), onSome: configFields })

const compareImages = (left: Read, right: Read, platform: Option.Option<string>): ImageDifference => ({
  ...(Option.isSome(platform) ? { platform: platform.value } : {}),
  left: left.root.digest,
  right: right.root.digest,
  isSame: left.root.digest === right.root.digest,
  layers: compareLayers(layersOf(left.view), layersOf(right.view)),
  config: differing(fieldsOfRead(left), fieldsOfRead(right)),
  annotations: differing(annotationsOf(left.view), annotationsOf(right.view))
})

const isFor = ({ platform }: Descriptor): boolean => platform !== undefined && platform.os !== "unknown"

const platformText = ({ platform }: Descriptor): string =>
  platform === undefined ? "" : [Platform.format(platform), platform["os.version"] ?? ""].join(" ").trimEnd()

/** The manifests of an artifact: those of an index, or the image itself with its platform. */
const entriesOf = ({ config, root, view }: Read): ReadonlyArray<Descriptor> => {
  if (view._tag === "ImageIndex") return view.manifests
  const platform = Option.flatMap(config, platformOf)
  return [Option.isSome(platform) ? { ...root, platform: platform.value } : root]
}

interface Pair {
  readonly platform: string
  readonly left: Descriptor
  readonly right: Descriptor
}

/** Pairs images by platform. Tools write one platform in several ways: equal text is paired first, then equal meaning. */
const pairsOf = (left: ReadonlyArray<Descriptor>, right: ReadonlyArray<Descriptor>): ReadonlyArray<Pair> => {
  const pairs = new Map<Descriptor, Pair>()
  const free = new Set(right.filter(isFor))
  const numberOf = numbering()
  const meaning = ({ platform }: Descriptor) => (platform === undefined ? undefined : numberOf(platform))
  for (const keyOf of [platformText, meaning]) {
    const waiting = new Map<string | number | undefined, Set<Descriptor>>()
    for (const entry of free) {
      const key = keyOf(entry)
      waiting.set(key, (waiting.get(key) ?? new Set<Descriptor>()).add(entry))
    }
    for (const entry of left.filter((own) => isFor(own) && !pairs.has(own))) {
      const key = keyOf(entry)
      const [other] = (key === undefined ? undefined : waiting.get(key)) ?? []
      if (other === undefined) continue
      waiting.get(key)?.delete(other)
      free.delete(other)
      pairs.set(entry, { platform: platformText(entry), left: entry, right: other })
    }
  }
  return left.flatMap((entry) => pairs.get(entry) ?? [])
}

/** Images without a counterpart, and other manifests whose digests the other side does not list. */
const unpaired = (
  own: ReadonlyArray<Descriptor>,
  others: ReadonlyArray<Descriptor>,
  paired: ReadonlySet<Descriptor>
): ReadonlyArray<Descriptor> => [
  ...own.filter((entry) => isFor(entry) && !paired.has(entry)),
  ...without(
    own.filter((entry) => !isFor(entry)),
    others
  )
]

const isIndex = ({ view }: Read): boolean => view._tag === "ImageIndex"

export const compare = <E1, E2>(
  left: { readonly reader: Reader<E1>; readonly root: Descriptor },
  right: { readonly reader: Reader<E2>; readonly root: Descriptor }
): Effect.Effect<Difference, E1 | E2 | GraphError> =>
  Effect.gen(function* () {
    const one = yield* readImage(left.reader, left.root)
    const other = yield* readImage(right.reader, right.root)
    const common = { isSame: left.root.digest === right.root.digest, left: left.root, right: right.root }
    if (!isIndex(one) && !isIndex(other)) {
      const image = compareImages(one, other, Option.none())
      return { ...common, annotations: [], onlyLeft: [], onlyRight: [], images: [image] }
    }
    const ofLeft = entriesOf(one)
    const ofRight = entriesOf(other)
    const pairs = pairsOf(ofLeft, ofRight)
    const images = yield* Effect.forEach(
      pairs,
      (pair) =>
        Effect.gen(function* () {
          const first = yield* readImage(left.reader, pair.left)
          const second = yield* readImage(right.reader, pair.right)
          return compareImages(first, second, Option.some(pair.platform))
        }),
      { concurrency: readsAtOnce }
    )
    const paired = new Set(pairs.flatMap((pair) => [pair.left, pair.right]))
    return {
      ...common,
      annotations: differing(annotationsOf(one.view), annotationsOf(other.view)),
      onlyLeft: unpaired(ofLeft, ofRight, paired),
      onlyRight: unpaired(ofRight, ofLeft, paired),
      images
    }
  })
