/**
 * Plans an image of a seed as blobs and manifests, each before those that name it. Stores nothing.
 */
import * as Descriptor from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as ImageConfig from "@effect-acr/client/ImageConfig"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Platform from "@effect-acr/client/Platform"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { TarError } from "effect/encoding/Tar"
import type { PushedAt, SeedBytes, SeedImage, SeedLayer, SeedReferrer } from "../SeedImage.ts"
import * as Contents from "./contents.ts"
import { type Blob, ofBytes, ofLayer } from "./seedContent.ts"

/** A manifest to put, with the tags that name it. */
interface PlannedManifest {
  readonly raw: Manifest.Raw
  readonly tags: ReadonlyArray<string>
  /** Whether it was pushed after the manifests that it refers to. */
  readonly isLater: boolean
}

export interface Plan {
  readonly blobs: ReadonlyArray<Blob>
  readonly manifests: ReadonlyArray<PlannedManifest>
  /** The manifest that the tags of the seed name. */
  readonly root: Digest.Digest
}

/** A part of a plan, and its main manifest. */
interface Part extends Omit<Plan, "root"> {
  readonly descriptor: Descriptor.Descriptor
}

const encoder = new TextEncoder()

const types = {
  oci: {
    config: MediaType.ociImageConfig,
    layer: MediaType.ociImageLayer,
    manifest: MediaType.ociImageManifest,
    index: MediaType.ociImageIndex
  },
  docker: {
    config: MediaType.dockerImageConfig,
    layer: MediaType.MediaType.make("application/vnd.docker.image.rootfs.diff.tar"),
    manifest: MediaType.dockerManifest,
    index: MediaType.dockerManifestList
  }
}

/** The time in configurations, as in reproducible builds: it does not depend on when the seed was read. */
const epoch = "1970-01-01T00:00:00Z"

const createdOf = (pushedAt: PushedAt | undefined): string =>
  pushedAt !== undefined && DateTime.isDateTime(pushedAt) ? DateTime.formatIso(pushedAt) : epoch

const partOf = (
  manifest: Manifest.ImageManifest | Manifest.ImageIndex,
  mediaType: MediaType.MediaType,
  { blobs = [], isLater = false, manifests = [] }: Partial<Omit<Plan, "root">> & { readonly isLater?: boolean } = {}
): Part => {
  const bytes = encoder.encode(Manifest.format({ ...manifest, mediaType }))
  const digest = Digest.Digest.make(Contents.digestOf(bytes))
  const descriptor = Descriptor.Descriptor.make({ mediaType, digest, size: bytes.length })
  return { descriptor, blobs, manifests: [...manifests, { raw: { bytes, descriptor }, tags: [], isLater }] }
}

const join = (parts: ReadonlyArray<Omit<Plan, "root">>): Omit<Plan, "root"> => ({
  blobs: parts.flatMap(({ blobs }) => blobs),
  manifests: parts.flatMap(({ manifests }) => manifests)
})

const annotated = (annotations: { readonly [name: string]: string } | undefined) =>
  annotations === undefined ? {} : { annotations }

const descriptorsOf = (blobs: ReadonlyArray<Blob>): ReadonlyArray<Descriptor.Descriptor> =>
  blobs.map(({ descriptor }) => descriptor)

const digestsOf = (blobs: ReadonlyArray<Blob>): ReadonlyArray<Digest.Digest> =>
  blobs.map(({ descriptor }) => descriptor.digest)

/** Distinguishes a seed from others, unless its content is set. */
const identityOf = ({ repository, tags = [] }: SeedImage): string => `${repository}:${tags.join(",")}`

const containerOf = ({ entrypoint, env, labels }: SeedImage) => ({
  ...(env === undefined ? {} : { Env: Object.entries(env).map(([name, value]) => `${name}=${value}`) }),
  ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
  ...(labels === undefined ? {} : { Labels: labels })
})

const imageFor = (image: SeedImage, platform: Platform.Platform, isRoot: boolean): Effect.Effect<Part, TarError> =>
  Effect.gen(function* () {
    const type = types[image.format ?? "oci"]
    const identity = `${identityOf(image)} for ${Platform.format(platform)}`
    const { layers = [{ files: { "seed.txt": `${identity}\n` } }] } = image
    const blobs = yield* Effect.forEach(layers, (layer, index) =>
      ofLayer(layer, { mediaType: type.layer, isArchive: true, key: `${identity}, layer ${index}` })
    )
    const container = containerOf(image)
    const config = ofBytes(
      type.config,
      ImageConfig.format({
        ...platform,
        created: createdOf(image.pushedAt),
        ...(Object.keys(container).length === 0 ? {} : { config: container }),
        rootfs: { type: "layers", diff_ids: digestsOf(blobs) },
        history: []
      })
    )
    const manifest = Manifest.image({
      config: config.descriptor,
      layers: descriptorsOf(blobs),
      ...annotated(isRoot ? image.annotations : undefined)
    })
    return partOf(manifest, type.manifest, { blobs: [config, ...blobs] })
  })

const inToto = MediaType.MediaType.make("application/vnd.in-toto+json")
const provenance = "https://slsa.dev/provenance/v0.2"

/** BuildKit's documentation, "Image attestation storage". */
const attestationOf = (image: SeedImage, about: Descriptor.Descriptor): Part => {
  const statement = ofBytes(
    inToto,
    JSON.stringify({
      _type: "https://in-toto.io/Statement/v0.1",
      predicateType: provenance,
      subject: [{ name: image.repository, digest: { sha256: Digest.hex(about.digest) } }],
      predicate: { builder: { id: "" }, buildType: "https://mobyproject.org/buildkit@v1" }
    })
  )
  const config = ofBytes(
    MediaType.ociImageConfig,
    ImageConfig.format({
      architecture: "unknown",
      os: "unknown",
      config: {},
      rootfs: { type: "layers", diff_ids: [statement.descriptor.digest] },
      history: []
    })
  )
  const layer = { ...statement.descriptor, annotations: { "in-toto.io/predicate-type": provenance } }
  const part = partOf(Manifest.image({ config: config.descriptor, layers: [layer] }), MediaType.ociImageManifest, {
    blobs: [config, statement]
  })
  return {
    ...part,
    descriptor: {
      ...part.descriptor,
      annotations: { "vnd.docker.reference.digest": about.digest, "vnd.docker.reference.type": "attestation-manifest" },
      platform: { architecture: "unknown", os: "unknown" }
    }
  }
}

const emptyConfig = ofBytes(MediaType.ociEmpty, "{}")

/** OCI image specification, manifest.md, "Guidelines for Artifact Usage". */
const artifact = (options: {
  readonly artifactType: string
  readonly layers: ReadonlyArray<SeedBytes | SeedLayer>
  readonly annotations: { readonly [name: string]: string } | undefined
  readonly key: string
  readonly subject?: Descriptor.Descriptor
}): Effect.Effect<Part, TarError> =>
  Effect.gen(function* () {
    const { annotations, artifactType, key, layers, subject } = options
    const blobs = yield* Effect.forEach(layers, (layer, index) =>
      ofLayer(layer, { mediaType: MediaType.octetStream, isArchive: false, key: `${key}, layer ${index}` })
    )
    const manifest = Manifest.image({
      artifactType: MediaType.MediaType.make(artifactType),
      config: emptyConfig.descriptor,
      layers: blobs.length === 0 ? [emptyConfig.descriptor] : descriptorsOf(blobs),
      ...(subject === undefined ? {} : { subject: pointerOf(subject) }),
      ...annotated(annotations)
    })
    return partOf(manifest, MediaType.ociImageManifest, {
      blobs: [emptyConfig, ...blobs],
      isLater: subject !== undefined
    })
  })

const pointerOf = ({ digest, mediaType, size }: Descriptor.Descriptor): Descriptor.Descriptor => ({
  mediaType,
  digest,
  size
})

const referrerOf = (subject: Descriptor.Descriptor, referrer: SeedReferrer): Effect.Effect<Part, TarError> =>
  Effect.gen(function* () {
    const { annotations, artifactType, referrers = [] } = referrer
    const key = `${artifactType} of ${subject.digest}`
    const { layers = [`${key}\n`] } = referrer
    const own = yield* artifact({ artifactType, layers, annotations, key, subject })
    const others = yield* Effect.forEach(referrers, (other) => referrerOf(own.descriptor, other))
    return { descriptor: own.descriptor, ...join([own, ...others]) }
  })

const simpleSigning = MediaType.MediaType.make("application/vnd.dev.cosign.simplesigning.v1+json")

/** cosign's documentation, SIGNATURE_SPEC.md. */
const signatureUnderTag = ({ repository }: SeedImage, about: Descriptor.Descriptor): Part => {
  const payload = ofBytes(
    simpleSigning,
    JSON.stringify({
      critical: {
        identity: { "docker-reference": repository },
        image: { "docker-manifest-digest": about.digest },
        type: "cosign container image signature"
      },
      optional: null
    })
  )
  const config = ofBytes(
    MediaType.ociImageConfig,
    ImageConfig.format({
      architecture: "",
      os: "",
      created: epoch,
      config: {},
      rootfs: { type: "layers", diff_ids: [payload.descriptor.digest] },
      history: [{ created: epoch }]
    })
  )
  const layer = { ...payload.descriptor, annotations: { "dev.cosignproject.cosign/signature": btoa("no signature") } }
  const part = partOf(Manifest.image({ config: config.descriptor, layers: [layer] }), MediaType.ociImageManifest, {
    blobs: [config, payload],
    isLater: true
  })
  return tagged(part, [`sha256-${Digest.hex(about.digest)}.sig`])
}

/** The part whose last manifest has tags. */
const tagged = (part: Part, tags: ReadonlyArray<string>): Part => ({
  ...part,
  manifests: part.manifests.map((manifest, index, all) => (index === all.length - 1 ? { ...manifest, tags } : manifest))
})

const bundle = "application/vnd.dev.sigstore.bundle.v0.3+json"

/** cosign's documentation, BUNDLE_SPEC.md. */
const bundleOf = (about: Descriptor.Descriptor): SeedReferrer => ({
  artifactType: bundle,
  layers: [{ mediaType: bundle, content: JSON.stringify({ mediaType: bundle, about: about.digest }) }],
  annotations: {
    "dev.sigstore.bundle.content": "dsse-envelope",
    "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1"
  }
})

const indexOf = (image: SeedImage, platforms: ReadonlyArray<Platform.Platform>): Effect.Effect<Part, TarError> =>
  Effect.gen(function* () {
    const images = yield* Effect.forEach(platforms, (platform) =>
      Effect.map(imageFor(image, platform, false), (part) => ({
        ...part,
        descriptor: { ...part.descriptor, platform }
      }))
    )
    const attestations = image.attestations === true ? images.map((part) => attestationOf(image, part.descriptor)) : []
    const parts = [...images, ...attestations]
    const manifest = Manifest.index({
      manifests: parts.map(({ descriptor }) => descriptor),
      ...annotated(image.annotations)
    })
    return partOf(manifest, types[image.format ?? "oci"].index, join(parts))
  })

const rootOf = (image: SeedImage): Effect.Effect<Part, TarError> => {
  const { annotations, artifactType, layers } = image
  if (artifactType !== undefined) {
    const key = `${artifactType} ${identityOf(image)}`
    return artifact({ artifactType, layers: layers ?? [`${key}\n`], annotations, key })
  }
  const platforms = (image.platforms ?? ["linux/amd64"]).map((platform) => Result.getOrThrow(Platform.parse(platform)))
  const [only, ...others] = platforms
  return only !== undefined && others.length === 0 && image.attestations !== true
    ? imageFor(image, only, true)
    : indexOf(image, platforms)
}

/** Plans a checked image. Fails if the name of a file does not fit into an archive. */
export const plan = (image: SeedImage): Effect.Effect<Plan, TarError> =>
  Effect.gen(function* () {
    const root = tagged(yield* rootOf(image), image.tags ?? [])
    const { signatures = [] } = image
    const underTags = signatures.includes("cosign-tag") ? [signatureUnderTag(image, root.descriptor)] : []
    const bundles = signatures.includes("cosign-bundle") ? [bundleOf(root.descriptor)] : []
    const referrers = yield* Effect.forEach([...bundles, ...(image.referrers ?? [])], (referrer) =>
      referrerOf(root.descriptor, referrer)
    )
    return { root: root.descriptor.digest, ...join([root, ...underTags, ...referrers]) }
  })
