/**
 * The file `index.json` of a layout: the manifests that it lists by name, and changes to it.
 *
 * OCI image specification, image-layout.md, "index.json file". Fields and entries of other programs are kept. The same names and
 * manifests produce the same bytes, regardless of the changes before.
 */
import * as DescriptorSchema from "@effect-acr/client/Descriptor"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Ambiguous } from "../../LayoutError.ts"
import { fullName, imageName, refName } from "../imageNames.ts"

/** An entry of the file. An unreadable entry is kept, but names nothing. */
export interface Entry {
  readonly json: unknown
  readonly descriptor: Option.Option<Descriptor>
}

/** A change to the file. */
type Change =
  /** Names a manifest, and removes the unnamed entries of the manifests that it names. */
  | {
      readonly _tag: "Put"
      readonly descriptor: Descriptor
      readonly tags: ReadonlyArray<string>
      readonly children: ReadonlyArray<Digest.Digest>
    }
  | { readonly _tag: "Untag"; readonly tag: string }
  | { readonly _tag: "Remove"; readonly digest: Digest.Digest }
  /** Replaces the manifest of a name, without keeping an entry of the old one. */
  | { readonly _tag: "Replace"; readonly tag: string; readonly descriptor: Option.Option<Descriptor> }

const decodeEntry = Schema.decodeUnknownOption(DescriptorSchema.Descriptor)

const entryOf = (json: unknown): Entry => ({ json, descriptor: decodeEntry(json) })

const decodeDocument = Schema.decodeUnknownResult(
  Schema.fromJsonString(
    Schema.StructWithRest(
      Schema.Struct({ manifests: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.Unknown))) }),
      [Schema.Record(Schema.String, Schema.Unknown)]
    )
  )
)

/** The name of an entry, if it has one. */
export const nameOf = ({ annotations }: Descriptor): string | undefined => annotations?.[refName]

/** The entry without a name, which remains if its tag moves. */
const withoutName = (descriptor: Descriptor): Descriptor => {
  const { annotations = {}, ...rest } = descriptor
  const others = Object.entries(annotations).filter(([key]) => key !== refName && key !== imageName)
  return others.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(others) }
}

const withName = (descriptor: Descriptor, tag: string): Descriptor => ({
  ...withoutName(descriptor),
  annotations: { ...withoutName(descriptor).annotations, [refName]: tag }
})

const encodeDescriptor = Schema.encodeSync(DescriptorSchema.Descriptor)

/** Entries with a name come first, so that a program that takes the first entry gets a tag. */
const sortKey = ({ descriptor, json }: Entry): string =>
  Option.match(descriptor, {
    onNone: () => `2 ${JSON.stringify(json)}`,
    onSome: (own) => {
      const name = nameOf(own)
      return `${name === undefined ? "1" : `0 ${name}`}\u0000${own.digest}`
    }
  })

/** The name that containerd gives, with the digest. */
const foreignKey = ({ annotations, digest }: Descriptor): string => `${annotations?.[imageName]}\u0000${digest}`

/** The names of an entry, of either kind. */
export const namesOf = ({ annotations = {} }: Descriptor): ReadonlyArray<string> =>
  [annotations[refName], annotations[imageName]].filter((name) => name !== undefined)

/** The tag of a full name; any other name as it is. */
const tagOf = (name: string): string => name.slice(name.lastIndexOf(":") + 1)

const addTo = (map: Map<string, Set<Descriptor>>, key: string, descriptor: Descriptor): void => {
  const found = map.get(key)
  if (found === undefined) map.set(key, new Set([descriptor]))
  else found.add(descriptor)
}

const removeFrom = (map: Map<string, Set<Descriptor>>, key: string, descriptor: Descriptor): void => {
  const found = map.get(key)
  if (found?.delete(descriptor) === true && found.size === 0) map.delete(key)
}

const distinct = (descriptors: ReadonlyArray<Descriptor>): ReadonlyArray<Descriptor> => [
  ...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()
]

/** The parsed file. Changes and lookups take time only for the entries concerned, so that a thousand tags take linear time. */
export interface Index {
  readonly apply: (change: Change) => void
  /** The manifests that a name, a full reference, a tag of one, or `@` and the number of an entry may name, each once. */
  readonly find: (reference: string) => ReadonlyArray<Descriptor>
  /** The entry of a manifest. */
  readonly entry: (digest: string) => Option.Option<Descriptor>
  readonly tags: () => ReadonlyArray<string>
  readonly entries: () => ReadonlyArray<Descriptor>
  /** The entries beyond a number of them, in the order in which they were added. A removal changes the order of all. */
  readonly added: (after: number) => ReadonlyArray<Descriptor>
  /** How often an entry was removed. */
  readonly removals: () => number
  /** Entries that cannot be read. */
  readonly unread: () => ReadonlyArray<unknown>
  /** Whether its entries differ from those of the file from which it was read. */
  readonly isChanged: () => boolean
  /** The text of the file. */
  readonly format: () => string
}

const written = (own: Descriptor): Entry => ({ json: encodeDescriptor(own), descriptor: Option.some(own) })

/** Entries in the order in which they are written. */
const sorted = (entries: ReadonlyArray<Entry>): ReadonlyArray<Entry> =>
  entries
    .map((entry) => [sortKey(entry), entry] as const)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([, entry]) => entry)

/** Entries as this module writes them, for comparison. */
const canonical = (entries: ReadonlyArray<Entry>): string =>
  JSON.stringify(
    sorted(entries).map(({ descriptor, json }) =>
      Option.isSome(descriptor) ? encodeDescriptor(descriptor.value) : json
    )
  )

const make = (fields: { readonly [field: string]: unknown }, initial: ReadonlyArray<Entry>): Index => {
  const names = new Map<string, Set<Descriptor>>()
  const unnamed = new Map<string, Descriptor>()
  /** Entries whose only name is containerd's. They are kept as other programs wrote them. */
  const foreign = new Map<string, Descriptor>()
  const unread: Array<Entry> = []
  /** The entries of a manifest. */
  const uses = new Map<string, Set<Descriptor>>()
  /** The entries with a name, in either annotation, and those by the tags of their names. */
  const byName = new Map<string, Set<Descriptor>>()
  const byTag = new Map<string, Set<Descriptor>>()
  let order: ReadonlyArray<Entry> | undefined = initial
  let removals = 0
  /** The entries that were added since the last removal, and those before; undefined until it is needed. */
  let log: Array<Descriptor> | undefined

  const link = (descriptor: Descriptor): void => {
    addTo(uses, descriptor.digest, descriptor)
    for (const name of namesOf(descriptor)) {
      addTo(byName, name, descriptor)
      addTo(byTag, tagOf(name), descriptor)
    }
  }

  const unlink = (descriptor: Descriptor): void => {
    removeFrom(uses, descriptor.digest, descriptor)
    for (const name of namesOf(descriptor)) {
      removeFrom(byName, name, descriptor)
      removeFrom(byTag, tagOf(name), descriptor)
    }
  }

  const add = (descriptor: Descriptor): void => {
    const name = nameOf(descriptor)
    const theirs = name === undefined ? descriptor.annotations?.[imageName] : undefined
    if (theirs !== undefined) {
      if (foreign.has(foreignKey(descriptor))) return
      foreign.set(foreignKey(descriptor), descriptor)
    } else if (name === undefined) {
      if (unnamed.has(descriptor.digest)) return
      unnamed.set(descriptor.digest, descriptor)
    } else addTo(names, name, descriptor)
    link(descriptor)
    log?.push(descriptor)
  }

  const removeUnnamed = (digest: string): void => {
    const descriptor = unnamed.get(digest)
    if (descriptor === undefined) return
    unnamed.delete(digest)
    unlink(descriptor)
  }

  const take = (name: string): ReadonlyArray<Descriptor> => {
    const taken = [...(names.get(name) ?? [])]
    names.delete(name)
    for (const descriptor of taken) unlink(descriptor)
    return taken
  }

  /** A manifest that loses its last name stays listed, so that it does not become garbage. */
  const keep = (descriptors: ReadonlyArray<Descriptor>): void => {
    for (const descriptor of descriptors) if (!uses.has(descriptor.digest)) add(withoutName(descriptor))
  }

  const isNamed = (tag: string, digest: string): boolean => {
    const [only, ...more] = names.get(tag) ?? []
    return only?.digest === digest && more.length === 0
  }

  const setTag = (descriptor: Descriptor, tag: string): void => {
    if (isNamed(tag, descriptor.digest)) return
    const before = take(tag)
    add(withName(descriptor, tag))
    keep(before)
  }

  const put = ({ children, descriptor, tags }: Extract<Change, { readonly _tag: "Put" }>): void => {
    for (const tag of tags) setTag(descriptor, tag)
    if (tags.length > 0) removeUnnamed(descriptor.digest)
    else if (!uses.has(descriptor.digest)) add(withoutName(descriptor))
    for (const child of children) if (child !== descriptor.digest) removeUnnamed(child)
  }

  const remove = (digest: string): void => {
    removeUnnamed(digest)
    for (const descriptor of uses.get(digest) ?? []) {
      unlink(descriptor)
      const name = nameOf(descriptor)
      if (name !== undefined) removeFrom(names, name, descriptor)
      foreign.delete(foreignKey(descriptor))
    }
  }

  const apply = (change: Change): void => {
    order = undefined
    if (change._tag !== "Put") {
      removals++
      log = undefined
    }
    switch (change._tag) {
      case "Put":
        return put(change)
      case "Untag":
        return keep(take(change.tag))
      case "Remove":
        return remove(change.digest)
      case "Replace":
        take(change.tag)
        return Option.match(change.descriptor, {
          onNone: () => undefined,
          onSome: (descriptor) => add(withName(descriptor, change.tag))
        })
    }
  }

  const all = (): Array<Descriptor> => [
    ...Array.from(names.values(), (named) => [...named]).flat(),
    ...foreign.values(),
    ...unnamed.values()
  ]

  /** The entries in the order of the file. */
  const ordered = (): ReadonlyArray<Entry> => {
    order ??= sorted([...all().map(written), ...unread])
    return order
  }

  const numbered = (reference: string): ReadonlyArray<Descriptor> => {
    const entry = /^@\d+$/.test(reference) ? ordered()[Number(reference.slice(1))] : undefined
    return entry === undefined ? [] : Option.toArray(entry.descriptor)
  }

  /** Names that are full references: the name itself, or its tag. */
  const byFullName = (reference: string): ReadonlyArray<Descriptor> => [
    // The text after the colon of a port is not a tag.
    ...(byName.get(reference) ??
      byName.get(fullName(reference)) ??
      (reference.includes("/") ? undefined : byTag.get(reference)) ??
      [])
  ]

  const find = (reference: string): ReadonlyArray<Descriptor> => {
    const exact = names.get(reference)
    if (exact !== undefined) return distinct([...exact])
    const found = numbered(reference)
    return found.length > 0 ? found : distinct(byFullName(reference))
  }

  const entry = (digest: string): Option.Option<Descriptor> => {
    const [any] = uses.get(digest) ?? []
    return Option.fromUndefinedOr(unnamed.get(digest) ?? any)
  }

  for (const each of initial) {
    if (Option.isSome(each.descriptor)) add(each.descriptor.value)
    else unread.push(each)
  }

  return {
    apply,
    find,
    entry,
    tags: () => [...names.keys()].toSorted(),
    entries: all,
    added: (after) => {
      log ??= all()
      return log.slice(after)
    },
    removals: () => removals,
    unread: () => unread.map(({ json }) => json),
    isChanged: () => order === undefined && canonical(initial) !== canonical(ordered()),
    format: () => JSON.stringify({ ...fields, manifests: ordered().map(({ json }) => json) })
  }
}

export const empty = (): Index => make({ schemaVersion: 2, mediaType: MediaType.ociImageIndex }, [])

/** Parses the file, or returns why it cannot be read. */
export const parse = (text: string): Result.Result<Index, string> =>
  decodeDocument(text).pipe(
    Result.map(({ manifests, ...fields }) => make(fields, (manifests ?? []).map(entryOf))),
    Result.mapError(({ message }) => message)
  )

/** The descriptor of a manifest, without the name that an index gives it. */
export const pointerOf = ({ artifactType, digest, mediaType, platform, size }: Descriptor): Descriptor => ({
  mediaType,
  digest,
  size,
  ...(artifactType === undefined ? {} : { artifactType }),
  ...(platform === undefined ? {} : { platform })
})

/** How many manifests a message names. */
const mostNamed = 20

/** The manifest that a reference names; none if there is none. Fails if there are several. */
export const theOne = (
  reference: string,
  found: ReadonlyArray<Descriptor>
): Result.Result<Option.Option<Descriptor>, Ambiguous> => {
  const [only, ...others] = found
  if (only === undefined) return Result.succeed(Option.none())
  if (others.length === 0) return Result.succeed(Option.some(pointerOf(only)))
  const digests = found.slice(0, mostNamed).map(({ digest }) => digest)
  const more = found.length <= mostNamed ? "" : ` and ${found.length - mostNamed} more`
  return Result.fail(
    new Ambiguous({
      description: `${reference} names several manifests: use a full name, or one of the digests ${digests.join(", ")}${more}`,
      digests
    })
  )
}
