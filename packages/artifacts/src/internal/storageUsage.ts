/**
 * Counts the storage that the artifacts of a store take.
 */
import { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as MediaType from "@effect-acr/client/MediaType"
import type { Opened } from "@effect-acr/client/Registries"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Reader } from "../ContentStore.ts"
import * as Repository from "../Repository.ts"
import { orEmpty } from "./found.ts"
import { statedType } from "./references.ts"
import { storage } from "./storage.ts"
import { graphOf, type Survey, survey } from "./survey.ts"
import { Finding } from "./validation/finding.ts"
import type { GraphError, GraphNode } from "./walk.ts"

/**
 * An artifact that takes storage: a manifest with a tag, or one that no other manifest leads to.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UsedRoot = Schema.Struct({
  /** The digest of the manifest. */
  digest: Digest.Digest,
  /** Its media type, or its artifact type if it states one and is no image. */
  type: Schema.String,
  /** Its tags. */
  tags: Schema.Array(Schema.String),
  /** The size of the manifest, of all that it names, and of its referrers, in bytes. */
  totalBytes: Schema.Natural,
  /** The size of the content that no other root has, in bytes: what deleting this one frees. */
  ownBytes: Schema.Natural
})

/**
 * One artifact that takes storage.
 *
 * @category models
 * @since 0.1.0
 */
export type UsedRoot = typeof UsedRoot.Type

/**
 * A manifest or a blob that takes storage.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UsedContent = Schema.Struct({
  /** Whether it is a manifest or a blob. */
  kind: Schema.Literals(["manifest", "blob"]),
  /** Its media type, or its artifact type if it states one and is no image. */
  type: Schema.String,
  /** Its descriptor: digest, media type, size and other fields of the manifest that names it. */
  descriptor: Descriptor,
  /** How many roots have it. */
  roots: Schema.Natural
})

/**
 * One manifest or blob that takes storage.
 *
 * @category models
 * @since 0.1.0
 */
export type UsedContent = typeof UsedContent.Type

/**
 * The storage of a store, by artifact and by content.
 *
 * @category schemas
 * @since 0.1.0
 */
export const StorageUsage = Schema.Struct({
  /** The size of all manifests and blobs, each once, in bytes. */
  totalBytes: Schema.Natural,
  /** The size of the content that several roots share, in bytes. */
  sharedBytes: Schema.Natural,
  /** The artifacts, the largest first. */
  roots: Schema.Array(UsedRoot),
  /** Manifests and blobs, each once, the largest first. */
  contents: Schema.Array(UsedContent),
  /** Manifests that are missing or unreadable. What only they name is not counted. */
  findings: Schema.Array(Finding)
})

/**
 * The storage of one store.
 *
 * @category models
 * @since 0.1.0
 */
export type StorageUsage = typeof StorageUsage.Type

/** A manifest that a list names, with its tags. */
interface Listed {
  readonly descriptor: Descriptor
  readonly tags: ReadonlyArray<string>
}

/** Tags that are resolved at the same time. */
const readsAtOnce = 8

/** Referrers, by the subjects that manifests name: no request is needed if a store lists all manifests. */
const withReferrers = (nodes: ReadonlyMap<Digest.Digest, GraphNode>): ReadonlyMap<Digest.Digest, GraphNode> => {
  const bySubject = new Map<Digest.Digest, Array<Digest.Digest>>()
  for (const { descriptor, subject } of nodes.values()) {
    if (Option.isNone(subject)) continue
    const referrers = bySubject.get(subject.value) ?? []
    referrers.push(descriptor.digest)
    bySubject.set(subject.value, referrers)
  }
  return new Map(
    Array.from(nodes, ([digest, node]) => [digest, { ...node, referrers: bySubject.get(digest) ?? node.referrers }])
  )
}

/** The listed manifests that are roots: those with a tag, and those that no other one leads to. */
const rootsOf = (
  listed: ReadonlyArray<Listed>,
  nodes: ReadonlyMap<Digest.Digest, GraphNode>
): ReadonlyArray<Listed> => {
  const named = new Set<Digest.Digest>()
  for (const { children, referrers } of nodes.values()) {
    for (const { digest } of children) named.add(digest)
    for (const digest of referrers) named.add(digest)
  }
  return listed.filter(
    ({ descriptor: { digest }, tags }) => nodes.has(digest) && (tags.length > 0 || !named.has(digest))
  )
}

const usageOf = (
  listed: ReadonlyArray<Listed>,
  { findings, nodes }: Pick<Survey, "findings" | "nodes">
): StorageUsage => {
  const roots = rootsOf(listed, nodes)
  const stored = storage(roots.map(({ descriptor }) => graphOf(nodes, descriptor.digest)))
  const tagsOf = new Map(roots.map(({ descriptor, tags }) => [descriptor.digest, tags]))
  return {
    totalBytes: stored.totalBytes,
    sharedBytes: stored.sharedBytes,
    roots: stored.roots
      .map(({ ownBytes, root, totalBytes }) => {
        const node = nodes.get(root)
        return {
          digest: root,
          type: node === undefined ? "" : statedType(node.descriptor),
          tags: tagsOf.get(root) ?? [],
          totalBytes,
          ownBytes
        }
      })
      .toSorted((left, right) => right.totalBytes - left.totalBytes),
    contents: stored.contents
      .map(({ descriptor, kind, roots }) => ({ kind, type: statedType(descriptor), descriptor, roots }))
      .toSorted((left, right) => right.descriptor.size - left.descriptor.size),
    // A manifest of another media type is read and counted.
    findings: findings.filter(({ problem }) => problem !== "MediaTypeDiffers")
  }
}

/** The tags of a store by what they name. */
const byTags = <E>(reader: Reader<E>): Effect.Effect<ReadonlyArray<Listed>, E> =>
  Effect.gen(function* () {
    const names = yield* Stream.runCollect(reader.tags)
    const found = yield* Effect.forEach(
      names,
      (name) =>
        Effect.map(
          reader.resolve(name),
          Option.map((descriptor) => ({ name, descriptor }))
        ),
      { concurrency: readsAtOnce }
    )
    const listed = new Map<Digest.Digest, { readonly descriptor: Descriptor; readonly tags: Array<string> }>()
    for (const { descriptor, name } of Arr.getSomes(found)) {
      const one = listed.get(descriptor.digest) ?? { descriptor, tags: [] }
      one.tags.push(name)
      listed.set(descriptor.digest, one)
    }
    return Array.from(listed.values())
  })

const ofListed = <E>(reader: Reader<E>, listed: ReadonlyArray<Listed>): Effect.Effect<StorageUsage, E | GraphError> =>
  Effect.map(
    survey(
      reader,
      listed.map(({ descriptor }) => descriptor),
      { withReferrers: true }
    ),
    (surveyed) => usageOf(listed, surveyed)
  )

export const read = <E>(reader: Reader<E>): Effect.Effect<StorageUsage, E | GraphError> =>
  Effect.flatMap(byTags(reader), (listed) => ofListed(reader, listed))

export const ofArtifact = <E>(reader: Reader<E>, root: Descriptor): Effect.Effect<StorageUsage, E | GraphError> =>
  ofListed(reader, [{ descriptor: root, tags: [] }])

/**
 * A manifest as the management API lists it. The listed size includes the layers of an image, so that the size of the manifest
 * itself is unknown.
 */
const byManagementApi = ({ content, reference, registry, repository }: Opened) =>
  Effect.gen(function* () {
    const manifests = yield* Stream.runCollect(orEmpty(registry.manifests(repository)))
    const listed = manifests.map(({ digest, mediaType, tags }): Listed => ({
      descriptor: { digest, mediaType: mediaType ?? MediaType.ociImageManifest, size: 0 },
      tags
    }))
    const { findings, nodes } = yield* survey(
      Repository.make(content, reference),
      listed.map(({ descriptor }) => descriptor),
      { withReferrers: false }
    )
    // The list states no sizes of manifests, and no media types of some.
    const missing = findings.filter(({ problem }) => problem === "Missing" || problem === "Unreadable")
    return usageOf(listed, { findings: missing, nodes: withReferrers(nodes) })
  })

export const ofRegistry = (opened: Opened): Effect.Effect<StorageUsage, GraphError | RegistryError> =>
  Effect.catchReason(byManagementApi(opened), "RegistryError", "Unsupported", () =>
    read(Repository.make(opened.content, opened.reference))
  )
