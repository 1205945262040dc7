/**
 * Plans the content of an archive: manifests and blobs, in the order in which a reader that cannot seek needs them.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Hasher from "@effect-acr/client/Hasher"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import type * as Platform from "@effect-acr/client/Platform"
import * as Referrer from "@effect-acr/client/Referrer"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ArchiveError, NotAnImage, NotFound, PlatformRequired } from "../../ArchiveError.ts"
import type { Reader } from "../../ContentStore.ts"
import type { PlatformNotFound } from "../copy/choice.ts"
import { blobName, layoutVersion } from "../contents.ts"
import { familiarName, namedAs, refName } from "../imageNames.ts"
import { choiceOf, imagesOf, platformsOf } from "../platformImage.ts"
import { isForeign, isImageConfig } from "../references.ts"
import { lacksIt } from "../storeName.ts"
import { type GraphError, type GraphNode, type GraphOptions, walk } from "../walk.ts"
import type { Format } from "./opened.ts"

/** A file of the archive. */
export type Part =
  | { readonly _tag: "Bytes"; readonly name: string; readonly bytes: Uint8Array }
  | { readonly _tag: "Manifest"; readonly name: string; readonly descriptor: Descriptor }
  | { readonly _tag: "Blob"; readonly name: string; readonly descriptor: Descriptor }

/** How an archive is written. */
export interface Wanted {
  readonly format: Format
  readonly platform: Platform.Platform | undefined
  readonly graphs: GraphOptions
  /** The name of the images, without a tag. */
  readonly name: string | undefined
}

/** An image, or another artifact, under its names. */
interface Root {
  readonly reference: string
  readonly descriptor: Descriptor
  readonly nodes: ReadonlyMap<Digest.Digest, GraphNode>
}

const encoder = new TextEncoder()

const named = (archive: string) => (reason: ArchiveError["reason"]) =>
  Effect.fail(new ArchiveError({ archive, reason }))

/** The one image that a Docker archive holds of an artifact. */
const oneImage = <E>(
  source: Reader<E>,
  reference: string,
  root: Descriptor,
  platform: Platform.Platform | undefined
): Effect.Effect<Descriptor, E | GraphError | ArchiveError | PlatformNotFound> =>
  Effect.gen(function* () {
    const [first, ...others] = yield* imagesOf(source, root, platform)
    if (first === undefined) {
      return yield* named(reference)(new NotAnImage({ description: "this is an index without an image" }))
    }
    if (others.length === 0) return first
    const available = platformsOf([first, ...others])
    const description = `a Docker archive has one image, and this is an index of several: ${choiceOf(available)}`
    return yield* named(reference)(new PlatformRequired({ description, available }))
  })

const rootOf = <E>(source: Reader<E>, reference: string, { format, graphs, platform }: Wanted) =>
  Effect.gen(function* () {
    const found = yield* source.resolve(reference)
    if (Option.isNone(found)) {
      return yield* named(reference)(new NotFound({ description: lacksIt(source.origin) }))
    }
    const isOne = format === "docker" || platform !== undefined
    const { digest, mediaType, size } = isOne ? yield* oneImage(source, reference, found.value, platform) : found.value
    const { nodes } = yield* walk(source, { digest, mediaType, size }, graphs)
    const descriptor = nodes.get(digest)?.descriptor ?? found.value
    const root: Root = {
      reference,
      descriptor: { mediaType: descriptor.mediaType, digest, size: descriptor.size },
      nodes
    }
    return root
  })

/** Whether a reference is a digest or the number of an entry, which are not valid names for docker or in a layout. */
const isNameless = (reference: string): boolean => Digest.isDigest(reference) || reference.startsWith("@")

/** The name of an image in the archive; undefined if it has none. */
const fullNameOf = (name: string | undefined, reference: string): string | undefined => {
  if (isNameless(reference)) return undefined
  // A tag has neither a slash nor a colon. Docker's archives have names without registry and owner, such as alpine:3.20.
  if (/[/:]/.test(reference)) return reference
  return name === undefined ? undefined : `${name}:${reference}`
}

/** An entry of `index.json`. Docker and containerd read the name from a separate annotation. */
const entryOf = ({ descriptor, reference }: Root, { format, name }: Wanted): Descriptor => {
  if (isNameless(reference)) return descriptor
  const fullName = fullNameOf(name, reference)
  if (fullName === undefined) return { ...descriptor, annotations: { [refName]: reference } }
  const named = namedAs(descriptor, fullName)
  // An OCI archive has the name by which the store knows the image.
  return format === "docker" ? named : { ...named, annotations: { ...named.annotations, [refName]: reference } }
}

/** The lists of referrers by subject, for programs that find referrers only by the tag of their subject. */
const referrerLists = <E>(source: Reader<E>, nodes: ReadonlyMap<Digest.Digest, GraphNode>, startHash: Hasher.Start) =>
  Effect.gen(function* () {
    const lists: Array<{ readonly tag: string; readonly raw: Manifest.Raw }> = []
    const found: Array<Descriptor> = []
    for (const { descriptor, referrers } of nodes.values()) {
      if (referrers.length === 0) continue
      const raws = yield* Effect.forEach(referrers, (digest) => source.manifest({ digest }))
      const listed = raws
        .flatMap((raw) => Option.toArray(Option.flatMap(raw, Referrer.fromManifest)))
        .map((referrer) => referrer.descriptor)
        .toSorted((left, right) => (left.digest < right.digest ? -1 : 1))
      const bytes = encoder.encode(Manifest.format(Manifest.index({ manifests: listed })))
      const digest = Hasher.digest(startHash, "sha256", bytes)
      const raw = { bytes, descriptor: { mediaType: MediaType.ociImageIndex, digest, size: bytes.length } }
      lists.push({ tag: Referrer.tag(descriptor.digest), raw })
      found.push(...listed)
    }
    return { lists, found }
  })

/** What `docker load` reads: the images with their names, and the files of their layers. */
const manifestJson = (roots: ReadonlyArray<Root>, { name }: Wanted) =>
  Effect.gen(function* () {
    const images = new Map<Digest.Digest, { Config: string; RepoTags: Array<string>; Layers: ReadonlyArray<string> }>()
    for (const { descriptor, nodes, reference } of roots) {
      const [config, ...layers] = nodes.get(descriptor.digest)?.blobs ?? []
      if (config === undefined || !isImageConfig(config)) {
        const description = `${descriptor.digest} is not an image: its configuration has the type ${config?.mediaType ?? "none"}`
        return yield* named(reference)(new NotAnImage({ description }))
      }
      const image = images.get(descriptor.digest) ?? {
        Config: blobName(config.digest),
        RepoTags: [],
        Layers: layers.map(({ digest }) => blobName(digest))
      }
      const fullName = fullNameOf(name, reference)
      if (fullName !== undefined) image.RepoTags.push(familiarName(fullName))
      images.set(descriptor.digest, image)
    }
    return JSON.stringify([...images.values()])
  })

const textPart = (name: string, text: string): Part => ({ _tag: "Bytes", name, bytes: encoder.encode(text) })

/** The manifests from the roots down, so that a reader knows what follows. */
const topDown = ({ descriptor, nodes }: Root): ReadonlyArray<Descriptor> => {
  const found = new Map<Digest.Digest, Descriptor>()
  let level: ReadonlyArray<Digest.Digest> = [descriptor.digest]
  while (level.length > 0) {
    const fresh = level.flatMap((digest) => (found.has(digest) ? [] : (nodes.get(digest) ?? [])))
    for (const node of fresh) found.set(node.descriptor.digest, node.descriptor)
    level = fresh.flatMap(({ children, referrers }) => [...children.map(({ digest }) => digest), ...referrers])
  }
  return [...found.values()]
}

const distinct = (descriptors: ReadonlyArray<Descriptor>): ReadonlyArray<Descriptor> => [
  ...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()
]

/**
 * The files of an archive in the order in which they are written: indexes, manifests from the top down, configurations, layers.
 */
export const make = <E>(source: Reader<E>, references: ReadonlyArray<string>, wanted: Wanted) =>
  Effect.gen(function* () {
    const startHash = yield* Hasher.Hasher
    if (references.length === 0) {
      return yield* named(source.origin.place)(new NotFound({ description: "no image is named that could be written" }))
    }
    const roots = yield* Effect.forEach(new Set(references), (reference) => rootOf(source, reference, wanted))
    const lists = yield* Effect.forEach(roots, ({ nodes }) => referrerLists(source, nodes, startHash))
    const names = new Set(roots.map(({ reference }) => reference))
    // With a list under the name of an image, neither would be found. Its referrers are in the index all the same.
    const withOwnName = lists.flatMap(({ lists }) => lists).filter(({ tag }) => !names.has(tag))
    const tagged = new Map(withOwnName.map(({ raw, tag }) => [tag, raw] as const))
    const listed = [
      ...roots.map((root) => entryOf(root, wanted)),
      ...distinct(lists.flatMap(({ found }) => found)),
      ...Array.from(tagged, ([tag, { descriptor }]) => ({ ...descriptor, annotations: { [refName]: tag } }))
    ]
    const manifests = distinct(roots.flatMap(topDown))
    const blobs = distinct(roots.flatMap(({ nodes }) => [...nodes.values()].flatMap(({ blobs }) => blobs))).filter(
      (blob) => wanted.format === "docker" || !isForeign(blob)
    )
    const configs = new Set(
      roots.flatMap(({ nodes }) => Array.from(nodes.values(), ({ blobs: [config] }) => config?.digest))
    )
    const parts: ReadonlyArray<Part> = [
      textPart("oci-layout", JSON.stringify({ imageLayoutVersion: layoutVersion })),
      textPart("index.json", Manifest.format(Manifest.index({ manifests: listed }))),
      ...(wanted.format === "docker" ? [textPart("manifest.json", yield* manifestJson(roots, wanted))] : []),
      ...manifests.map((descriptor): Part => ({ _tag: "Manifest", name: blobName(descriptor.digest), descriptor })),
      ...Array.from(tagged.values(), ({ bytes, descriptor }): Part => ({
        _tag: "Bytes",
        name: blobName(descriptor.digest),
        bytes
      })),
      ...[
        ...blobs.filter(({ digest }) => configs.has(digest)),
        ...blobs.filter(({ digest }) => !configs.has(digest))
      ].map((descriptor): Part => ({ _tag: "Blob", name: blobName(descriptor.digest), descriptor }))
    ]
    // A manifest may be the layer of another.
    return [...new Map(parts.map((part) => [part.name, part])).values()]
  })
