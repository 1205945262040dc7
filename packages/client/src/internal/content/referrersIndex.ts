/**
 * The image index that a referrers tag names: clients add their entries to it and keep everything else unchanged.
 *
 * OCI distribution specification, "Referrers tag schema".
 */
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { Descriptor } from "../../Descriptor.ts"
import * as Digest from "../../Digest.ts"
import type * as Manifest from "../../Manifest.ts"
import * as MediaType from "../../MediaType.ts"
import { list, openStruct } from "../schema/fields.ts"
import { fromJson } from "../schema/json.ts"

/** An index as the registry stores it: fields and entries that this library does not know are kept. */
export interface Index {
  readonly manifests: ReadonlyArray<unknown>
}

/** A change of the list of a subject's referrers. */
export type Change =
  | { readonly _tag: "Add"; readonly descriptor: Descriptor }
  | { readonly _tag: "Remove"; readonly digest: Digest.Digest }

const Index = openStruct({ manifests: list(Schema.Unknown) })
const decodeIndex = Schema.decodeUnknownOption(fromJson(Index))
const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** Reads the index that a tag names. None if it names something else, which must not be replaced. */
export const read = ({ bytes, descriptor }: Manifest.Raw): Option.Option<Index> =>
  MediaType.essence(descriptor.mediaType) === MediaType.ociImageIndex
    ? decodeIndex(decoder.decode(bytes))
    : Option.none()

/** The index of a subject without referrers. */
export const empty: Index = { manifests: [] }

/** The bytes of an index. The specification requires the version and the media type. */
export const write = (index: Index): Uint8Array =>
  encoder.encode(JSON.stringify({ ...index, schemaVersion: 2, mediaType: MediaType.ociImageIndex }))

/** The digest of the manifest that a change is about. */
export const digestOf = (change: Change): Digest.Digest =>
  change._tag === "Add" ? change.descriptor.digest : change.digest

/** Whether an entry has the values of a descriptor. Further values belong to other clients. */
const says = (entry: unknown, descriptor: Descriptor): boolean =>
  Predicate.isObject(entry) && Object.entries(descriptor).every(([field, value]) => Equal.equals(entry[field], value))

/** The digest of an entry, unchecked. */
const digestIn = (entry: unknown): unknown => (Predicate.isObject(entry) ? entry["digest"] : undefined)

/** Whether an index already has the changes. */
const holds = (entries: Index["manifests"], changes: ReadonlyMap<unknown, Change>): boolean => {
  const seen = new Set<unknown>()
  for (const entry of entries) {
    const digest = digestIn(entry)
    const change = changes.get(digest)
    if (change === undefined || seen.has(digest)) continue
    if (change._tag === "Remove" || !says(entry, change.descriptor)) return false
    seen.add(digest)
  }
  return Array.from(changes).every(([digest, { _tag }]) => _tag === "Remove" || seen.has(digest))
}

const decodeDigest = Schema.decodeUnknownOption(Digest.Digest)

/** The manifests that an index names, with valid digests. */
export const digestsIn = (index: Index): ReadonlyArray<Digest.Digest> =>
  index.manifests.flatMap((entry) => Option.toArray(decodeDigest(digestIn(entry))))

/** The change that removes a manifest from the list. */
export const removal = (digest: Digest.Digest): Change => ({ _tag: "Remove", digest })

/** The manifests that changes add and that an index does not name. */
export const missing = (index: Index, changes: Iterable<Change>): ReadonlyArray<Digest.Digest> => {
  const there = new Set(index.manifests.map(digestIn))
  return Array.from(changes).flatMap((change) =>
    change._tag === "Add" && !there.has(change.descriptor.digest) ? [change.descriptor.digest] : []
  )
}

/** The index after changes, one for each manifest. Returns the same index if it already has them. */
export const apply = (index: Index, changes: Iterable<Change>): Index => {
  const byDigest = new Map<unknown, Change>(Array.from(changes, (change) => [digestOf(change), change]))
  if (holds(index.manifests, byDigest)) return index
  const done = new Set<unknown>()
  const kept = index.manifests.flatMap((entry) => {
    const digest = digestIn(entry)
    const change = byDigest.get(digest)
    if (change === undefined || (change._tag === "Add" && done.has(digest))) return [entry]
    done.add(digest)
    return change._tag === "Remove" ? [] : [Predicate.isObject(entry) ? { ...entry, ...change.descriptor } : entry]
  })
  const added = Array.from(byDigest.values()).flatMap((change) =>
    change._tag === "Add" && !done.has(change.descriptor.digest) ? [change.descriptor] : []
  )
  return { ...index, manifests: [...kept, ...added] }
}
