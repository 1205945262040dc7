/**
 * Describes what manifests name; each is read once, by digest.
 */
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Referrer from "@effect-acr/client/Referrer"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import { constFalse } from "effect/Function"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { RetentionError } from "../../RetentionError.ts"
import type { RetentionTarget } from "../../RetentionTarget.ts"
import { isImageConfig, isManifest, referencesOf } from "../references.ts"

/** The description of a manifest, from its content. */
export const Description = Schema.Struct({
  kind: Schema.Literals(["image", "index", "artifact", "referrer"]),
  artifactType: Schema.optionalKey(Schema.String),
  sizeBytes: Schema.Natural,
  children: Schema.Array(Digest.Digest),
  otherEntries: Schema.optionalKey(Schema.Array(Digest.Digest)),
  subject: Schema.optionalKey(Digest.Digest)
})

export type Description = typeof Description.Type

/** Indexes, and what may have a subject: the specifications allow one in these, and the registry deletes them with it. */
const namingTypes: ReadonlySet<string> = new Set([
  MediaType.ociImageIndex,
  MediaType.dockerManifestList,
  MediaType.ociImageManifest,
  MediaType.ociArtifactManifest,
  MediaType.orasArtifactManifest
])

/** Whether a manifest of a media type may need others. */
export const mayNameOthers = (mediaType: MediaType.MediaType): boolean =>
  namingTypes.has(MediaType.essence(mediaType).toLowerCase())

const decoder = new TextDecoder()

/** The kind and the artifact type of a manifest without a subject. */
const natureOf = (raw: Manifest.Raw): Pick<Description, "kind" | "artifactType"> => {
  const view = Manifest.view(raw.descriptor.mediaType, decoder.decode(raw.bytes))
  if (view._tag === "UnknownManifest") return { kind: "artifact" }
  const stated = view.artifactType
  if (view._tag === "ImageIndex") return { kind: "index", ...(stated === undefined ? {} : { artifactType: stated }) }
  const artifactType = stated ?? view.config.mediaType
  return { kind: stated === undefined && isImageConfig(view.config) ? "image" : "artifact", artifactType }
}

/** Describes a manifest; none if what it names cannot be determined. */
const describe = (raw: Manifest.Raw): Option.Option<Description> =>
  Option.map(Result.getSuccess(referencesOf(raw)), ({ blobs, manifests }) => {
    const referrer = Referrer.fromManifest(raw)
    // A manifest may state any size for its layers.
    const sizeBytes = Math.min(
      blobs.reduce((sum, { size }) => sum + size, raw.bytes.length),
      Number.MAX_SAFE_INTEGER
    )
    const [children, others] = Arr.partition(manifests, (entry) =>
      isManifest(entry) ? Result.succeed(entry.digest) : Result.fail(entry.digest)
    )
    const named = {
      sizeBytes,
      children: Arr.dedupe(children),
      ...(others.length === 0 ? {} : { otherEntries: Arr.dedupe(others) })
    }
    if (Option.isNone(referrer)) return { ...natureOf(raw), ...named }
    const { descriptor, subject } = referrer.value
    const { artifactType } = descriptor
    return { kind: "referrer" as const, ...(artifactType === undefined ? {} : { artifactType }), ...named, subject }
  })

/** All manifests that a manifest may name. An index may have entries of other types, most of them blobs. */
export const entriesOf = ({
  children,
  otherEntries = []
}: Pick<Description, "children" | "otherEntries">): ReadonlyArray<Digest.Digest> => [...children, ...otherEntries]

/** Reasons why one manifest cannot be read although others can. */
const unreadable: ReadonlySet<string> = new Set(["Locked", "InvalidResponse", "ContentMismatch", "TooLarge"])

/** The source of descriptions. */
export interface Descriptions {
  /** Whether the description of a manifest is cached. */
  readonly isKnown: (digest: Digest.Digest) => boolean
  /** The description of a manifest; none if it is missing or unreadable. */
  readonly read: (digest: Digest.Digest) => Effect.Effect<Option.Option<Description>, RegistryError | RetentionError>
  /** The same, always from the registry: none if it is missing, and an inner none if it is unreadable. */
  readonly ask: (digest: Digest.Digest) => Effect.Effect<Option.Option<Option.Option<Description>>, RegistryError>
}

const cacheFailed = (cause: { readonly message: string }) =>
  new RetentionError({ problem: "CacheFailed", description: `the cache of manifests failed: ${cause.message}` })

/** Reads manifests by digest, from the cache if it has them. */
const cached = (
  cache: KeyValueStore.KeyValueStore,
  read: (digest: Digest.Digest) => Effect.Effect<Option.Option<Description>, RegistryError>
): ((digest: Digest.Digest) => Effect.Effect<Option.Option<Description>, RegistryError | RetentionError>) => {
  const stored = KeyValueStore.toSchemaStore(cache, Description)
  return Effect.fnUntraced(function* (digest) {
    // An entry in the format of an earlier version is read again.
    const known = yield* stored.get(digest).pipe(
      Effect.catchTag("SchemaError", () => Effect.succeedNone),
      Effect.mapError(cacheFailed)
    )
    if (Option.isSome(known)) return known
    const found = yield* read(digest)
    if (Option.isSome(found)) yield* Effect.mapError(stored.set(digest, found.value), cacheFailed)
    return found
  })
}

/** Reads manifests of a target, through a cache if there is one. */
export const make = (
  { manifest }: Pick<RetentionTarget, "manifest">,
  cache: KeyValueStore.KeyValueStore | undefined
): Descriptions => {
  const ask = (digest: Digest.Digest) =>
    manifest(digest).pipe(
      Effect.map(Option.map(describe)),
      Effect.catchIf(
        ({ reason }) => unreadable.has(reason._tag),
        () => Effect.succeedSome(Option.none<Description>())
      )
    )
  const fromTarget = (digest: Digest.Digest) => Effect.map(ask(digest), Option.flatten)
  return { isKnown: constFalse, read: cache === undefined ? fromTarget : cached(cache, fromTarget), ask }
}

/** Ignores the cache for existence: only the registry knows whether a manifest exists. */
export const asking = ({ ask }: Descriptions): Descriptions => ({
  isKnown: constFalse,
  read: (digest) => Effect.map(ask(digest), Option.flatten),
  ask
})

/** Keeps what was read, in addition to what is cached. */
export const remembering = (
  { ask, read }: Descriptions,
  known: Iterable<readonly [Digest.Digest, Description]>
): Descriptions => {
  const all = new Map(known)
  return {
    ask,
    isKnown: (digest) => all.has(digest),
    read: (digest) => {
      const one = all.get(digest)
      if (one !== undefined) return Effect.succeedSome(one)
      return Effect.tap(
        read(digest),
        Option.match({ onNone: () => Effect.void, onSome: (found) => Effect.sync(() => void all.set(digest, found)) })
      )
    }
  }
}
