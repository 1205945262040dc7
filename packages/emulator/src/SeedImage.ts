/**
 * Seeds: the images and artifacts to put into an emulator, as data, in TypeScript or in JSON.
 *
 * A `SeedImage` describes an image or another artifact, which the emulator makes. A `SeedContents` names a folder or an
 * archive with images that other tools made. `AcrEmulator.seed` and `AcrEmulator.seedFrom` take them.
 *
 * @since 0.1.0
 */
import type { Digest } from "@effect-acr/client/Digest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Platform from "@effect-acr/client/Platform"
import { documentProblems, duration as printedDuration } from "@effect-acr/client/Printable"
import * as RepositoryName from "@effect-acr/client/RepositoryName"
import * as Tag from "@effect-acr/client/Tag"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { nameOfSeed } from "./internal/seedName.ts"
import { SeedError } from "./SeedError.ts"

/** A string that a noun of the client accepts, without its brand: callers write plain strings. */
const plain = (parse: (text: string) => Result.Result<unknown, Schema.SchemaError>) =>
  Schema.String.check(
    Schema.makeFilter((text) => Result.match(parse(text), { onSuccess: () => undefined, onFailure: messageOf }))
  )

const messageOf = ({ message }: { readonly message: string }): string => message

const Texts = Schema.Record(Schema.String, Schema.String)

const Bytes = Schema.Struct({ base64: Schema.Uint8ArrayFromBase64 }).pipe(
  Schema.decodeTo(
    Schema.Uint8Array,
    SchemaTransformation.transform({ decode: ({ base64 }) => base64, encode: (base64) => ({ base64 }) })
  )
)

/**
 * Content: text, or bytes. In JSON, bytes are `{ "base64": "…" }`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SeedBytes = Schema.Union([Schema.String, Bytes])

export type SeedBytes = typeof SeedBytes.Type

/**
 * Reads a layer with details. Exactly one of `content`, `sizeInBytes` and `files` defines its content.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SeedLayer = Schema.Struct({
  /** The content, stored unchanged. */
  content: Schema.optionalKey(SeedBytes),
  /**
   * The size of a layer whose content the emulator generates. The same seed has the same bytes, which cannot be
   * compressed. In an image, the layer is a tar archive that container tools can unpack.
   */
  sizeInBytes: Schema.optionalKey(Schema.Natural),
  /** Files by their paths, which the emulator packs into a tar archive. */
  files: Schema.optionalKey(Schema.Record(Schema.String, SeedBytes)),
  /**
   * The media type. Defaults to that of an uncompressed tar archive in images, and to `application/octet-stream` in
   * others.
   */
  mediaType: Schema.optionalKey(plain(MediaType.parse)),
  /** The file name of the layer, for tools such as oras: `org.opencontainers.image.title`. */
  title: Schema.optionalKey(Schema.String)
}).check(
  Schema.makeFilter(({ content, files, sizeInBytes }) =>
    [content, files, sizeInBytes].filter((one) => one !== undefined).length === 1
      ? undefined
      : "Expected a layer with one of content, sizeInBytes and files"
  )
)

export type SeedLayer = typeof SeedLayer.Type

// Bytes before a layer: of large ones, a layer would enumerate all properties.
const Layers = Schema.Array(Schema.Union([Schema.String, Bytes, SeedLayer]))

/**
 * An artifact that refers to an image or to another artifact: an SBOM, a report, a signature.
 *
 * @category models
 * @since 0.1.0
 */
export interface SeedReferrer {
  /** The kind of artifact, a media type: `application/spdx+json`. */
  readonly artifactType: string
  /** The content of its layers. Defaults to one small layer that names the subject. */
  readonly layers?: ReadonlyArray<SeedBytes | SeedLayer>
  /** The annotations of its manifest. */
  readonly annotations?: { readonly [name: string]: string }
  /** The artifacts that refer to it. */
  readonly referrers?: ReadonlyArray<SeedReferrer>
}

/**
 * A referrer as JSON.
 *
 * @category models
 * @since 0.1.0
 */
export interface SeedReferrerEncoded {
  /** The kind of artifact, a media type: `application/spdx+json`. */
  readonly artifactType: string
  /** The content of its layers. */
  readonly layers?: typeof Layers.Encoded
  /** The annotations of its manifest. */
  readonly annotations?: { readonly [name: string]: string }
  /** The artifacts that refer to it. */
  readonly referrers?: ReadonlyArray<SeedReferrerEncoded>
}

/**
 * Reads a referrer.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SeedReferrer: Schema.Codec<SeedReferrer, SeedReferrerEncoded> = Schema.Struct({
  artifactType: plain(MediaType.parse),
  layers: Schema.optionalKey(Layers),
  annotations: Schema.optionalKey(Texts),
  referrers: Schema.optionalKey(
    Schema.Array(Schema.suspend((): Schema.Codec<SeedReferrer, SeedReferrerEncoded> => SeedReferrer))
  )
})

/**
 * Reads locks: what clients may do with a tag, a manifest or a repository, in ACR's words. Each defaults to allowed.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SeedLocks = Schema.Struct({
  /** Whether it may be deleted. */
  deleteEnabled: Schema.optionalKey(Schema.Boolean),
  /** Whether it may be overwritten. If it may not, it may not be deleted either. */
  writeEnabled: Schema.optionalKey(Schema.Boolean),
  /** Whether it may be pulled. */
  readEnabled: Schema.optionalKey(Schema.Boolean),
  /** Whether lists show it. */
  listEnabled: Schema.optionalKey(Schema.Boolean)
})

export type SeedLocks = typeof SeedLocks.Type

/** RFC 3339 with a zone. `Date` accepts far more, such as `3 days`. */
const timePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/i

const decodeDuration = Schema.decodeOption(Schema.DurationFromString)

const isBeforeNow = (duration: Duration.Duration): boolean =>
  Duration.isFinite(duration) && !Duration.isNegative(duration)

const momentOf = (text: string): Option.Option<DateTime.Utc | Duration.Duration> =>
  timePattern.test(text)
    ? Option.map(DateTime.make(text), DateTime.toUtc)
    : Option.filter(decodeDuration(text), isBeforeNow)

const expectedMoment = "a time such as 2026-01-31T12:00:00Z, or a duration before now such as 3 days"

/**
 * When something was pushed: a time, or how long ago. In JSON it is a string: `2026-01-31T12:00:00Z` (RFC 3339) or `3
 * days`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PushedAt = Schema.String.pipe(
  Schema.decodeTo(
    Schema.Union([
      Schema.DateTimeUtc,
      Schema.Duration.check(Schema.makeFilter(isBeforeNow, { expected: "a finite duration before now" }))
    ]),
    SchemaTransformation.transformEffect({
      decode: (text, options) =>
        Effect.mapError(
          Effect.fromOption(momentOf(text)),
          () => new SchemaIssue.InvalidValue({ expected: expectedMoment }, text, options)
        ),
      encode: (moment) =>
        Effect.succeed(Duration.isDuration(moment) ? printedDuration(moment) : DateTime.formatIso(moment))
    })
  )
)

export type PushedAt = typeof PushedAt.Type

const pushed = {
  /** When it was pushed: a time, or how long before now. Defaults to now. */
  pushedAt: Schema.optionalKey(PushedAt),
  /**
   * What to do with a tag that names something else. `keep` leaves it, so that the seeds of a program do not move tags
   * in a permanent folder. `overwrite` moves it, as a push does. Defaults to `keep`.
   */
  onTag: Schema.optionalKey(Schema.Literals(["keep", "overwrite"]))
}

const fields = {
  /** The repository to put it into. It is created if it is missing. */
  repository: plain(RepositoryName.parse),
  /** The tags. Defaults to none: the image then has only its digest. */
  tags: Schema.optionalKey(Schema.Array(plain(Tag.parse))),
  /**
   * The platforms, as `os/architecture` or `os/architecture/variant`. Defaults to `linux/amd64`. Several platforms make
   * an index with an image for each, and the tags name the index.
   */
  platforms: Schema.optionalKey(Schema.Array(plain(Platform.parse))),
  /**
   * The layers, the lowest first: text, bytes, or layers with details. Defaults to one small layer, which differs by
   * repository, tags and platform.
   */
  layers: Schema.optionalKey(Layers),
  /** The labels in the configuration. */
  labels: Schema.optionalKey(Texts),
  /** The environment variables in the configuration. */
  env: Schema.optionalKey(Texts),
  /** The command in the configuration, word by word. */
  entrypoint: Schema.optionalKey(Schema.Array(Schema.String)),
  /** The annotations of the manifest that the tags name. */
  annotations: Schema.optionalKey(Texts),
  /**
   * The type of an artifact that is not an image: a media type. The artifact has one manifest, whose configuration is
   * empty and whose layers are its files.
   */
  artifactType: Schema.optionalKey(plain(MediaType.parse)),
  /** The media types of manifests, configurations and layers. Defaults to `oci`. */
  format: Schema.optionalKey(Schema.Literals(["oci", "docker"])),
  /** Whether the index has an attestation of provenance for each image, as BuildKit makes them. Defaults to `false`. */
  attestations: Schema.optionalKey(Schema.Boolean),
  /**
   * The signatures of the manifest that the tags name: `cosign-tag` is a manifest with the tag `sha256-….sig`, as
   * cosign 2 writes it; `cosign-bundle` is a referrer, as cosign 3 writes it. They have no key, so their verification
   * fails.
   */
  signatures: Schema.optionalKey(Schema.Array(Schema.Literals(["cosign-tag", "cosign-bundle"]))),
  /** The artifacts that refer to the manifest that the tags name. */
  referrers: Schema.optionalKey(Schema.Array(SeedReferrer)),
  /** The locks of the tags, the manifest that they name, and the repository. Existing ones keep their locks. */
  locks: Schema.optionalKey(
    Schema.Struct({
      /** The locks of each tag. */
      tags: Schema.optionalKey(SeedLocks),
      /** The locks of the manifest that the tags name. */
      manifest: Schema.optionalKey(SeedLocks),
      /** The locks of the repository. They are set if the seed adds something to it. */
      repository: Schema.optionalKey(SeedLocks)
    })
  ),
  ...pushed
}

const onlyOfImages = ["platforms", "labels", "env", "entrypoint", "format", "attestations"] as const
const onlyOfOci = ["annotations", "attestations"] as const

/**
 * Reads an image, or another artifact, to fill an emulator with.
 *
 * **Details**
 *
 * Only `repository` is required: `{ repository, tags }` is one small image. The same seed has the same digest at any
 * time and on any machine. Seeds that differ in their repository, tags or platforms are different images, unless both
 * name the same `layers`, or more of the same content.
 *
 * **Gotchas**
 *
 * A schema ignores unknown keys by default. `decode` refuses them.
 *
 * **Example** (A release)
 *
 * ```ts
 * import type { SeedImage } from "@effect-acr/emulator"
 * import { Duration } from "effect"
 *
 * export const release: SeedImage.SeedImage = {
 *   repository: "shop/api",
 *   tags: ["1.4.0", "latest"],
 *   platforms: ["linux/amd64", "linux/arm/v7"],
 *   layers: [{ sizeInBytes: 5_000_000 }, { files: { "app/index.html": "<h1>Shop</h1>" } }],
 *   labels: { "org.opencontainers.image.version": "1.4.0" },
 *   entrypoint: ["/app/api"],
 *   attestations: true,
 *   signatures: ["cosign-tag"],
 *   referrers: [{ artifactType: "application/spdx+json", layers: [{ title: "sbom.json", content: "{}" }] }],
 *   locks: { tags: { deleteEnabled: false } },
 *   pushedAt: Duration.days(3)
 * }
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const SeedImage = Schema.Struct(fields).check(
  Schema.makeFilter((image) => {
    const inArtifact =
      image.artifactType === undefined ? undefined : onlyOfImages.find((key) => image[key] !== undefined)
    if (inArtifact !== undefined) return `Expected an artifact, which has an artifactType, without ${inArtifact}`
    const inDocker = image.format === "docker" ? onlyOfOci.find((key) => image[key] !== undefined) : undefined
    if (inDocker !== undefined) return `Expected an image in Docker's format without ${inDocker}, which it cannot have`
    return image.platforms?.length === 0 ? "Expected at least one platform" : undefined
  })
)

export type SeedImage = typeof SeedImage.Type

/**
 * Reads the location of images that other tools made.
 *
 * **Details**
 *
 * Digests do not change. Referrers and signatures are copied too. Images without a name are copied, without a tag, only
 * if nothing in the folder or the archive has a name.
 *
 * **Example** (The images of a folder, and of an archive of `docker save`)
 *
 * ```ts
 * import type { SeedImage } from "@effect-acr/emulator"
 *
 * export const seeds: ReadonlyArray<SeedImage.SeedContents> = [
 *   { from: "test/images/api", repository: "shop/api" },
 *   { from: "test/images/all.tar" }
 * ]
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const SeedContents = Schema.Struct({
  /** The path of a folder with an OCI image layout, or of an archive of either kind that `ImageArchive.read` reads. */
  from: Schema.NonEmptyString,
  /**
   * The repository to put everything into. Names are then tags. Defaults to the repository in each name: `shop/api` for
   * `shop/api:1.4.0` and for `docker.io/shop/api:1.4.0`.
   */
  repository: Schema.optionalKey(plain(RepositoryName.parse)),
  /** The names of the images, as the folder or the archive has them. Defaults to all. */
  images: Schema.optionalKey(Schema.Array(Schema.NonEmptyString)),
  ...pushed
})

export type SeedContents = typeof SeedContents.Type

/**
 * An image that was copied from a folder or an archive.
 *
 * @category models
 * @since 0.1.0
 */
export interface SeededImage {
  /** The repository that it is in. */
  readonly repository: string
  /** Its tags. With `onTag: "keep"`, a tag that named something else before still does. */
  readonly tags: ReadonlyArray<string>
  /** Its digest. */
  readonly digest: Digest
}

/**
 * Reads a seed of either kind: one with `from` is a `SeedContents`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Seed = Schema.Union([SeedContents, SeedImage])

export type Seed = typeof Seed.Type

const strict = { onExcessProperty: "error" } as const
const decodeContents = Schema.decodeUnknownResult(SeedContents, strict)
const decodeImage = Schema.decodeUnknownResult(SeedImage, strict)

/**
 * Reads a seed from parsed JSON. Fails with `SeedError`, which names the key that is misspelt or whose value is wrong.
 *
 * **Example** (A seed of a configuration file)
 *
 * ```ts
 * import { SeedImage } from "@effect-acr/emulator"
 * import { Effect } from "effect"
 *
 * export const seed = Effect.fromResult(
 *   SeedImage.decode({ repository: "shop/api", tags: ["1.4.0"], pushedAt: "3 days" })
 * )
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (json: unknown): Result.Result<Seed, SeedError> => {
  const decoded: Result.Result<Seed, Schema.SchemaError> = Predicate.hasProperty(json, "from")
    ? decodeContents(json)
    : decodeImage(json)
  return Result.mapError(
    decoded,
    (error) => new SeedError({ seed: nameOfSeed(json), description: documentProblems(error) })
  )
}
