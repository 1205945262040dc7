/**
 * Reads everything that an artifact consists of, and compares it with what its manifests and configurations state.
 */
import type * as Compression from "@effect-acr/client/Compression"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as ImageConfig from "@effect-acr/client/ImageConfig"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Reader } from "../../ContentStore.ts"
import { isForeign, isImage, isImageConfig } from "../references.ts"
import { type Survey, survey } from "../survey.ts"
import type { GraphError, GraphNode } from "../walk.ts"
import { Finding, type Reading } from "./finding.ts"
import { collect, type Measured, measure } from "./measure.ts"

/**
 * What to validate.
 *
 * @category options
 * @since 0.1.0
 */
export interface ValidationOptions {
  /** Whether to validate the referrers of manifests: signatures, SBOMs and what refers to these. Defaults to true. */
  readonly referrers?: boolean
  /** How many blobs to read at the same time, at least 1. Defaults to 4. */
  readonly concurrency?: number
}

/**
 * The result of a validation.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ValidationReport = Schema.Struct({
  /** The digest of the manifest that was validated. */
  root: Digest.Digest,
  /** How many manifests were read. */
  manifests: Schema.Natural,
  /** How many blobs were read. */
  blobs: Schema.Natural,
  /** The total size of what was read, in bytes. */
  bytes: Schema.Natural,
  /** Layers that may not be distributed, so that registries do not hold them. They are not read. */
  skipped: Schema.Array(Digest.Digest),
  /** The problems: those of manifests first, then of configurations, then of other blobs. */
  findings: Schema.Array(Finding)
})

/**
 * The result of one validation.
 *
 * @category models
 * @since 0.1.0
 */
export type ValidationReport = typeof ValidationReport.Type

/** Configurations have a few KiB. Larger ones are hashed, but not decoded. */
const mostConfigBytes = 4 * 1024 * 1024

const defaultConcurrency = 4

/** A manifest that names a blob. */
interface Use {
  readonly kind: Exclude<Finding["kind"], "manifest">
  readonly descriptor: Descriptor
  readonly path: ReadonlyArray<Digest.Digest>
}

/** A blob, and what manifests and configurations state about it. */
interface Wanted {
  readonly descriptor: Descriptor
  readonly uses: Array<Use>
  /** The digests without compression that configurations state. */
  readonly diffIds: Array<Use & { readonly diffId: Digest.Digest }>
}

const kindOf = ({ blobs, descriptor }: GraphNode, blob: Descriptor): Use["kind"] => {
  if (!isImage(descriptor)) return "blob"
  const [config] = blobs
  if (config === blob) return "config"
  return config !== undefined && isImageConfig(config) ? "layer" : "blob"
}

const wantedOf = ({ nodes, paths }: Survey): ReadonlyMap<Digest.Digest, Wanted> => {
  const all = new Map<Digest.Digest, Wanted>()
  for (const node of nodes.values()) {
    for (const descriptor of node.blobs) {
      const wanted = all.get(descriptor.digest) ?? { descriptor, uses: [], diffIds: [] }
      wanted.uses.push({ kind: kindOf(node, descriptor), descriptor, path: paths.get(node.descriptor.digest) ?? [] })
      all.set(descriptor.digest, wanted)
    }
  }
  return all
}

const findingOf = ({ descriptor, kind, path }: Use, reading: Reading): Finding => ({
  kind,
  digest: descriptor.digest,
  path,
  ...reading
})

/** Findings about content alone are reported once, however many manifests name it. */
const once = ({ uses: [first] }: Wanted, reading: Reading): ReadonlyArray<Finding> =>
  first === undefined ? [] : [findingOf(first, reading)]

/** What is wrong with the bytes of a blob. */
const differences = (wanted: Wanted, { digest, size }: Measured): ReadonlyArray<Finding> => {
  const sizes = wanted.uses
    .filter(({ descriptor }) => descriptor.size !== size)
    .map((use) =>
      findingOf(use, {
        problem: "SizeDiffers",
        description: "it has another size than the manifest that names it states",
        expected: String(use.descriptor.size),
        actual: String(size)
      })
    )
  if (digest === wanted.descriptor.digest) return sizes
  const reading: Reading = {
    problem: "DigestDiffers",
    description: "its bytes are not those that its digest names",
    expected: wanted.descriptor.digest,
    actual: digest
  }
  return [...sizes, ...once(wanted, reading)]
}

const layerTypes = /\.tar(?:[.+](gzip|zstd))?$/

/** The compression that the media type of a layer states; undefined if the type is unknown. */
const statedFormat = ({ mediaType }: Descriptor): "gzip" | "zstd" | "none" | undefined => {
  const found = layerTypes.exec(MediaType.essence(mediaType))
  if (found === null) return undefined
  const [, format] = found
  return format === "gzip" || format === "zstd" ? format : "none"
}

/** What is wrong with a layer whose bytes match its digest. */
const layerDifferences = (wanted: Wanted, { format, plain, size }: Measured): ReadonlyArray<Finding> => {
  const actual = format ?? "none"
  const types = wanted.uses.flatMap((use) => {
    const stated = use.kind === "layer" ? statedFormat(use.descriptor) : undefined
    if (stated === undefined || stated === actual || size === 0) return []
    return [
      findingOf(use, {
        problem: "MediaTypeDiffers",
        description: "its compression is not the one that its media type states",
        expected: stated,
        actual
      })
    ]
  })
  if (Result.isFailure(plain)) {
    return [...types, ...once(wanted, { problem: "Unreadable", description: plain.failure })]
  }
  const diffIds = wanted.diffIds
    .filter(({ diffId }) => !plain.success.has(diffId))
    .map((use) =>
      findingOf(use, {
        problem: "DiffIdDiffers",
        description: "the uncompressed layer is not the one that the configuration of the image names",
        expected: use.diffId,
        actual: Array.from(plain.success).find((digest) => digest.startsWith(Digest.algorithm(use.diffId))) ?? ""
      })
    )
  return [...types, ...diffIds]
}

/** The findings from reading a blob. */
interface Read {
  readonly bytes: number
  readonly findings: ReadonlyArray<Finding>
}

const decoder = new TextDecoder()

const configTypes = (wanted: Wanted): boolean =>
  wanted.descriptor.size <= mostConfigBytes &&
  wanted.uses.some(({ descriptor, kind }) => kind === "config" && isImageConfig(descriptor))

/** Notes which layers a configuration names. */
const noteDiffIds = (
  config: Wanted,
  diffIds: ReadonlyArray<Digest.Digest>,
  nodes: ReadonlyMap<Digest.Digest, GraphNode>,
  all: ReadonlyMap<Digest.Digest, Wanted>
): ReadonlyArray<Finding> =>
  config.uses.flatMap((use) => {
    const manifest = use.path.at(-1)
    const [, ...layers] = (manifest === undefined ? undefined : nodes.get(manifest)?.blobs) ?? []
    if (layers.length !== diffIds.length) {
      return [
        findingOf(use, {
          problem: "DiffIdDiffers",
          description: `the configuration names ${diffIds.length} layers, and the manifest ${layers.length}`,
          expected: String(layers.length),
          actual: String(diffIds.length)
        })
      ]
    }
    for (const [index, descriptor] of layers.entries()) {
      const diffId = diffIds[index]
      if (diffId !== undefined) all.get(descriptor.digest)?.diffIds.push({ ...use, kind: "layer", descriptor, diffId })
    }
    return []
  })

/** Reads a configuration, and notes what it states about layers. */
const readConfig = <E>(
  reader: Reader<E>,
  wanted: Wanted,
  nodes: ReadonlyMap<Digest.Digest, GraphNode>,
  all: ReadonlyMap<Digest.Digest, Wanted>
): Effect.Effect<Read, E> =>
  Effect.gen(function* () {
    const collected = yield* collect(reader, wanted.descriptor)
    if (Result.isFailure(collected)) return { bytes: 0, findings: once(wanted, collected.failure) }
    const { bytes, digest, size } = collected.success
    const findings = differences(wanted, collected.success)
    if (digest !== wanted.descriptor.digest) return { bytes: size, findings }
    const config = ImageConfig.parse(decoder.decode(bytes))
    if (Result.isFailure(config)) {
      const reading: Reading = { problem: "Unreadable", description: "it is not the configuration of an image" }
      return { bytes: size, findings: [...findings, ...once(wanted, reading)] }
    }
    const noted = noteDiffIds(wanted, config.success.rootfs.diff_ids, nodes, all)
    return { bytes: size, findings: [...findings, ...noted] }
  })

const readBlob = <E>(reader: Reader<E>, wanted: Wanted): Effect.Effect<Read, E, Compression.Compression> =>
  Effect.gen(function* () {
    const algorithms = new Set(wanted.diffIds.map(({ diffId }) => Digest.algorithm(diffId)))
    const measured = yield* measure(reader, wanted.descriptor, Array.from(algorithms))
    if (Result.isFailure(measured)) return { bytes: 0, findings: once(wanted, measured.failure) }
    const { digest, size } = measured.success
    const findings = differences(wanted, measured.success)
    if (digest !== wanted.descriptor.digest) return { bytes: size, findings }
    return { bytes: size, findings: [...findings, ...layerDifferences(wanted, measured.success)] }
  })

export const validate = <E>(
  reader: Reader<E>,
  root: Descriptor,
  { concurrency = defaultConcurrency, referrers = true }: ValidationOptions
): Effect.Effect<ValidationReport, E | GraphError, Compression.Compression> =>
  Effect.gen(function* () {
    const surveyed = yield* survey(reader, [root], { withReferrers: referrers })
    const { findings, nodes } = surveyed
    const all = wantedOf(surveyed)
    const held = Array.from(all.values()).filter(({ descriptor }) => !isForeign(descriptor))
    const configs = held.filter(configTypes)
    const others = held.filter((wanted) => !configTypes(wanted))
    const first = yield* Effect.forEach(configs, (wanted) => readConfig(reader, wanted, nodes, all), { concurrency })
    const second = yield* Effect.forEach(others, (wanted) => readBlob(reader, wanted), { concurrency })
    const read = [...first, ...second]
    return {
      root: root.digest,
      manifests: nodes.size,
      blobs: held.length,
      bytes:
        read.reduce((sum, { bytes }) => sum + bytes, 0) +
        Array.from(nodes.values()).reduce((sum, { descriptor }) => sum + descriptor.size, 0),
      skipped: Array.from(all.values())
        .filter(({ descriptor }) => isForeign(descriptor))
        .map(({ descriptor }) => descriptor.digest),
      findings: [...findings, ...read.flatMap((one) => one.findings)]
    }
  })
