/**
 * The images of an archive that `docker save` writes: `manifest.json` lists the configuration and the layers of each image. It
 * has no digests of a registry's content, so that a manifest is generated for each image.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Hasher from "@effect-acr/client/Hasher"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type ArchiveError, ContentDiffers } from "../../ArchiveError.ts"
import * as Compression from "@effect-acr/client/Compression"
import { layerTypes, measured } from "../contents.ts"
import { namedAs } from "../imageNames.ts"
import { type Places, readSmall } from "./content.ts"
import { type Content, type Entries, failure, invalid } from "./entries.ts"
import { clean } from "../entryNames.ts"

const mostConfigBytes = 4 * 1024 * 1024

/** Go programs write `null` for an empty field, or leave it out. */
const list = Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.String)))

const diffIds = Schema.optionalKey(Schema.NullOr(Schema.Array(Digest.Digest)))

const ManifestJson = Schema.Array(Schema.Struct({ Config: Schema.String, RepoTags: list, Layers: list }))

type Saved = (typeof ManifestJson.Type)[number]

const decodeManifestJson = Schema.decodeUnknownEffect(Schema.fromJsonString(ManifestJson))

const decodeConfig = Schema.decodeUnknownEffect(
  Schema.fromJsonString(
    Schema.Struct({
      rootfs: Schema.optionalKey(Schema.NullOr(Schema.Struct({ diff_ids: diffIds })))
    })
  )
)

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** What is needed to read the images of an archive. */
export interface Source<out E> {
  readonly entries: Entries<E>
  /** The archive, for messages. */
  readonly name: string
  readonly startHash: Hasher.Start
  readonly compression: Compression.Service
}

/** The digest of a compressed layer, which the archive does not state. The uncompressed content is compared with the configuration. */
const digestOfCompressed = <E>(
  { compression, name: archive, startHash }: Source<E>,
  name: string,
  content: Content<E>,
  format: Compression.Format,
  diffId: Digest.Digest
): Effect.Effect<Digest.Digest, E | ArchiveError> =>
  Effect.gen(function* () {
    const stored = measured(content.read(0), startHash("sha256"))
    const unpacked = startHash(Digest.algorithm(diffId))
    yield* Stream.runDrain(measured(compression.decompress(stored.stream, format), unpacked).stream).pipe(
      Effect.mapError((error) =>
        error instanceof Compression.CompressionError ? invalid(archive, `${name}: ${error.message}`) : error
      )
    )
    if (unpacked.hex() !== Digest.hex(diffId)) {
      const description = `${name} is not what the configuration says: ${diffId}`
      return yield* failure(archive)(new ContentDiffers({ digest: diffId, description }))
    }
    return stored.digest()
  })

/** The images of `manifest.json`. */
export interface Images extends Places {
  /** The descriptors of the generated manifests, with the names of the images. */
  readonly listed: ReadonlyArray<Descriptor>
}

/** A configuration, and the uncompressed layers that it states. */
interface Config {
  readonly descriptor: Descriptor
  readonly diffIds: ReadonlyArray<Digest.Digest>
}

/** Reads `manifest.json`, and identifies its layers. */
export const read = <E>(source: Source<E>, json: Uint8Array): Effect.Effect<Images, E | ArchiveError> =>
  Effect.gen(function* () {
    const { entries, name: archive, startHash } = source
    const blobs = new Map<Digest.Digest, string>()
    /** The layers by file, with the digest that the configuration states for each. */
    const layers = new Map<string, { readonly diffId: Digest.Digest; readonly layer: Descriptor }>()
    const manifests = new Map<Digest.Digest, Manifest.Raw>()
    const listed: Array<Descriptor> = []

    const notThere = (name: string) => invalid(archive, `manifest.json names ${name}, which is not in the archive`)

    const readLayer = (name: string, diffId: Digest.Digest): Effect.Effect<Descriptor, E | ArchiveError> =>
      Effect.gen(function* () {
        const known = layers.get(name)
        if (known !== undefined && known.diffId !== diffId) {
          return yield* invalid(archive, `${name} is said to be two layers: ${known.diffId} and ${diffId}`)
        }
        if (known !== undefined) return known.layer
        const content = yield* Effect.flatMap(entries.open(name), (found) =>
          Effect.fromOption(found, () => notThere(name))
        )
        const first = Bytes.concat(yield* Stream.runCollect(Stream.take(content.read(0), 1)))
        const format = Compression.formatOf(first)
        const digest = format === undefined ? diffId : yield* digestOfCompressed(source, name, content, format, diffId)
        const layer: Descriptor = { mediaType: layerTypes[format ?? "none"], digest, size: content.size }
        layers.set(name, { diffId, layer })
        blobs.set(digest, name)
        return layer
      }).pipe(Effect.scoped)

    /** The configurations by file: many images may name one, which may be large. */
    const configs = new Map<string, Config>()

    const readConfig = (file: string): Effect.Effect<Config, E | ArchiveError> =>
      Effect.gen(function* () {
        const known = configs.get(file)
        if (known !== undefined) return known
        const bytes = yield* Effect.flatMap(readSmall(entries, file, mostConfigBytes, archive), (found) =>
          Effect.fromOption(found, () => notThere(file))
        )
        const parsed = yield* Effect.mapError(decodeConfig(decoder.decode(bytes)), () =>
          invalid(archive, `the configuration ${file} cannot be read`)
        )
        const digest = Hasher.digest(startHash, "sha256", bytes)
        const config: Config = {
          descriptor: { mediaType: MediaType.ociImageConfig, digest, size: bytes.length },
          diffIds: parsed.rootfs?.diff_ids ?? []
        }
        configs.set(file, config)
        blobs.set(digest, clean(file))
        return config
      })

    const readImage = ({ Config, Layers, RepoTags }: Saved): Effect.Effect<void, E | ArchiveError> =>
      Effect.gen(function* () {
        const { descriptor: config, diffIds } = yield* readConfig(Config)
        const names = (Layers ?? []).map(clean)
        if (names.length !== diffIds.length) {
          return yield* invalid(
            archive,
            `manifest.json lists ${names.length} layers of ${Config}, which has ${diffIds.length}`
          )
        }
        const stack = yield* Effect.forEach(diffIds, (diffId, index) => readLayer(names[index] ?? "", diffId))
        const manifest = encoder.encode(Manifest.format(Manifest.image({ config, layers: stack })))
        const descriptor: Descriptor = {
          mediaType: MediaType.ociImageManifest,
          digest: Hasher.digest(startHash, "sha256", manifest),
          size: manifest.length
        }
        manifests.set(descriptor.digest, { bytes: manifest, descriptor })
        const tags = RepoTags ?? []
        listed.push(...(tags.length === 0 ? [descriptor] : tags.map((name) => namedAs(descriptor, name))))
      })

    const images = yield* Effect.mapError(decodeManifestJson(decoder.decode(json)), ({ message }) =>
      invalid(archive, `manifest.json cannot be read: ${message}`)
    )
    yield* Effect.forEach(images, readImage, { discard: true })
    return { listed, manifests, blobs }
  })
