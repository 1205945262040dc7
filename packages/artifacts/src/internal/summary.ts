/**
 * Summarizes an artifact.
 */
import { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as ImageConfig from "@effect-acr/client/ImageConfig"
import * as Manifest from "@effect-acr/client/Manifest"
import * as Platform from "@effect-acr/client/Platform"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Reader } from "../ContentStore.ts"
import { platformOf, readConfig } from "./configs.ts"
import { isImageConfig, statedType } from "./references.ts"
import { graphOf, type Survey, survey } from "./survey.ts"
import { storage } from "./storage.ts"
import { readingOf } from "./validation/finding.ts"
import { GraphError } from "./walk.ts"

/**
 * A manifest that an index lists.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SummaryEntry = Schema.Struct({
  /** Its descriptor in the index, with its platform and its annotations. */
  descriptor: Descriptor,
  /** The size of the manifest and of all that it names, in bytes. Absent if the manifest is missing or unreadable. */
  totalBytes: Schema.optionalKey(Schema.Natural)
})

/**
 * One manifest that an index lists.
 *
 * @category models
 * @since 0.1.0
 */
export type SummaryEntry = typeof SummaryEntry.Type

/**
 * How many referrers of one type an artifact has.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ReferrersCount = Schema.Struct({
  /** Their artifact type, or their media type if they state none. */
  artifactType: Schema.String,
  /** The number of referrers. */
  count: Schema.Natural
})

/**
 * The number of referrers of one type.
 *
 * @category models
 * @since 0.1.0
 */
export type ReferrersCount = typeof ReferrersCount.Type

/**
 * A summary of an artifact.

 *
 * **Details**
 *
 * An `image` has the configuration of an image and no artifact type. An `artifact` is any other image manifest: a chart, a
 * signature, files. `unknown` is a manifest that cannot be read.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Summary = Schema.Struct({
  /** What kind of manifest it is. */
  kind: Schema.Literals(["image", "index", "artifact", "unknown"]),
  /** Its media type, digest and size. */
  descriptor: Descriptor,
  /** The artifact type if it is not an image, or the media type of its configuration if it states none. */
  artifactType: Schema.optionalKey(Schema.String),
  /** The size of its manifests and blobs, each once, in bytes, without referrers and without what is missing. */
  totalBytes: Schema.Natural,
  /** The platform of an image, from its configuration. */
  platform: Schema.optionalKey(Platform.Platform),
  /** The manifests that an index lists, in its order. */
  entries: Schema.Array(SummaryEntry),
  /** The layers of an image, the lowest first, or the files of an artifact. */
  layers: Schema.Array(Descriptor),
  /** The descriptor of the configuration. */
  config: Schema.optionalKey(Descriptor),
  /** The configuration of an image. Absent if it is missing, larger than 4 MiB or unreadable. */
  imageConfig: Schema.optionalKey(ImageConfig.ImageConfig),
  /** The annotations of the manifest. */
  annotations: Schema.Record(Schema.String, Schema.String),
  /** The manifest to which it refers as its subject. */
  subject: Schema.optionalKey(Digest.Digest),
  /** The referrers by their types. */
  referrers: Schema.Array(ReferrersCount)
})

/**
 * The summary of one artifact.

 *
 * @category models
 * @since 0.1.0
 */
export type Summary = typeof Summary.Type

const decoder = new TextDecoder()

/** A manifest that must exist, and its content. */
export const readRoot = <E>(
  reader: Reader<E>,
  root: Pick<Descriptor, "digest">
): Effect.Effect<{ readonly raw: Manifest.Raw; readonly view: Manifest.Manifest }, E | GraphError> =>
  Effect.gen(function* () {
    const raw = yield* reader.manifest(root)
    if (Option.isNone(raw)) {
      const description = `the manifest ${root.digest} is not there`
      return yield* new GraphError({ problem: "Missing", path: [root.digest], description })
    }
    const { bytes, descriptor } = raw.value
    return { raw: raw.value, view: Manifest.view(descriptor.mediaType, decoder.decode(bytes)) }
  })

/** A store in which a manifest that was read is not read again. */
const knowing = <E>(reader: Reader<E>, raw: Manifest.Raw): Reader<E> => ({
  ...reader,
  manifest: (wanted) => (wanted.digest === raw.descriptor.digest ? Effect.succeedSome(raw) : reader.manifest(wanted))
})

/** The configuration of an image, if it can be read. */
export const imageConfigOf = <E>(reader: Reader<E>, view: Manifest.Manifest) =>
  Effect.gen(function* () {
    if (view._tag !== "ImageManifest" || !isImageConfig(view.config)) return Option.none()
    const read = yield* readConfig(reader, view.config).pipe(
      Effect.catchIf(
        (error) => readingOf(error) !== undefined,
        () => Effect.succeed(Result.fail("is missing"))
      )
    )
    return Result.getSuccess(read)
  })

const entriesOf = ({ nodes }: Survey, view: Manifest.Manifest): ReadonlyArray<SummaryEntry> =>
  view._tag === "ImageIndex"
    ? view.manifests.map((descriptor) =>
        nodes.has(descriptor.digest)
          ? { descriptor, totalBytes: storage([graphOf(nodes, descriptor.digest)]).totalBytes }
          : { descriptor }
      )
    : []

const countsOf = (referrers: ReadonlyArray<Descriptor>): ReadonlyArray<ReferrersCount> => {
  const counts = new Map<string, number>()
  for (const referrer of referrers) {
    const type = statedType(referrer)
    counts.set(type, (counts.get(type) ?? 0) + 1)
  }
  return Array.from(counts, ([artifactType, count]) => ({ artifactType, count }))
}

/** The kind of an artifact, and its type if it is not an image. */
const kindOf = (view: Manifest.Manifest): Pick<Summary, "artifactType" | "kind"> => {
  if (view._tag === "UnknownManifest") return { kind: "unknown" }
  const { artifactType } = view
  if (view._tag === "ImageIndex") return { kind: "index", ...(artifactType === undefined ? {} : { artifactType }) }
  if (artifactType !== undefined) return { kind: "artifact", artifactType }
  return isImageConfig(view.config) ? { kind: "image" } : { kind: "artifact", artifactType: view.config.mediaType }
}

/** The parts of an image manifest. */
const partsOf = (view: Manifest.Manifest): Pick<Summary, "config" | "layers"> =>
  view._tag === "ImageManifest" ? { layers: view.layers, config: view.config } : { layers: [] }

export const read = <E>(reader: Reader<E>, root: Descriptor): Effect.Effect<Summary, E | GraphError> =>
  Effect.gen(function* () {
    const { raw, view } = yield* readRoot(reader, root)
    const surveyed = yield* survey(knowing(reader, raw), [root], { withReferrers: false })
    const config = yield* imageConfigOf(reader, view)
    const platform = Option.flatMap(config, platformOf)
    const referrers = yield* Stream.runCollect(reader.referrers(root.digest))
    const subject = view._tag === "UnknownManifest" ? undefined : view.subject
    return {
      ...kindOf(view),
      descriptor: raw.descriptor,
      totalBytes: storage([graphOf(surveyed.nodes, root.digest)]).totalBytes,
      ...(Option.isSome(platform) ? { platform: platform.value } : {}),
      entries: entriesOf(surveyed, view),
      ...partsOf(view),
      ...(Option.isSome(config) ? { imageConfig: config.value } : {}),
      annotations: view._tag === "UnknownManifest" ? {} : (view.annotations ?? {}),
      ...(subject === undefined ? {} : { subject: subject.digest }),
      referrers: countsOf(referrers)
    }
  })
