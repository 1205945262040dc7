/**
 * The image index that a referrers tag names: clients add their entries to it and keep everything else as it is.
 *
 * OCI distribution specification, "Referrers tag schema".
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { Descriptor } from "../../Descriptor.ts"
import type { Digest } from "../../Digest.ts"
import * as Equal from "effect/Equal"
import type * as Manifest from "../../Manifest.ts"
import * as MediaType from "../../MediaType.ts"
import { fromJson, list, openStruct } from "../schema/json.ts"

/** An index as it is in the registry: fields and entries that this library does not know are kept. */
export interface Index {
  readonly manifests: ReadonlyArray<unknown>
}

/** What a client does to the list of a subject's referrers. */
export type Change =
  | { readonly _tag: "Add"; readonly descriptor: Descriptor }
  | { readonly _tag: "Remove"; readonly digest: Digest }

const Index = openStruct({ manifests: list(Schema.Unknown) })
const decodeIndex = Schema.decodeUnknownOption(fromJson(Index))
const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** The index that a tag names. None if it names something else, which must not be replaced. */
export const read = ({ bytes, descriptor }: Manifest.Raw): Option.Option<Index> =>
  MediaType.essence(descriptor.mediaType) === MediaType.ociImageIndex
    ? decodeIndex(decoder.decode(bytes))
    : Option.none()

/** The index of a subject that nothing refers to yet. */
export const empty: Index = { manifests: [] }

/** The bytes of an index, of which the specification demands the version and the media type. */
export const write = (index: Index): Uint8Array =>
  encoder.encode(JSON.stringify({ ...index, schemaVersion: 2, mediaType: MediaType.ociImageIndex }))

/** What a change is about. */
export const digestOf = (change: Change): Digest => (change._tag === "Add" ? change.descriptor.digest : change.digest)

const isOf =
  (digest: Digest): Predicate.Predicate<unknown> =>
  (entry) =>
    Predicate.isObject(entry) && entry["digest"] === digest

/** Whether an entry says what a descriptor says. What else it says is another client's. */
const says = (entry: unknown, descriptor: Descriptor): boolean =>
  Predicate.isObject(entry) && Object.entries(descriptor).every(([field, value]) => Equal.equals(entry[field], value))

const add = (entries: Index["manifests"], descriptor: Descriptor): Index["manifests"] => {
  const there = entries.findIndex(isOf(descriptor.digest))
  const known = entries[there]
  if (there === -1) return [...entries, descriptor]
  return says(known, descriptor)
    ? entries
    : entries.with(there, Predicate.isObject(known) ? { ...known, ...descriptor } : descriptor)
}

const remove = (entries: Index["manifests"], digest: Digest): Index["manifests"] =>
  entries.some(isOf(digest)) ? entries.filter((entry) => !isOf(digest)(entry)) : entries

/** The index after some changes; the same one if it holds them already. */
export const apply = (index: Index, changes: Iterable<Change>): Index => {
  let { manifests } = index
  for (const change of changes) {
    manifests = change._tag === "Add" ? add(manifests, change.descriptor) : remove(manifests, change.digest)
  }
  return manifests === index.manifests ? index : { ...index, manifests }
}
