/**
 * Deletes tags, or manifests with all of their tags.
 */
import type { ContentStore } from "@effect-acr/artifacts/ContentStore"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { printable } from "@effect-acr/client/Printable"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Answer from "../answer.ts"
import { confirm, yesFlag } from "../confirm.ts"
import { dryRunFlag, outcome as outcomeOf } from "../dryRun.ts"
import { exitCodes } from "../exitCode.ts"
import { type StoreError, Unsafe, WrongCall } from "../problem.ts"
import { readingOf } from "../reading.ts"
import * as InTurn from "../inTurn.ts"
import * as Locks from "../locks.ts"
import * as Log from "../log.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import * as Verb from "../verb.ts"
import * as Untag from "./untag.ts"

/** Without `--manifest`, `rm` deletes tags as `untag` does. */
export { document as tagsDocument } from "./untag.ts"

export const document = Answer.document({
  manifests: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      digest: Digest.Digest,
      /** The tags that are deleted with it. */
      tags: Schema.Array(Schema.String),
      /** How many manifests refer to it. They stay, or the registry deletes them as well. */
      referrers: Schema.Natural,
      /** How many manifests it names, as an index does. They stay. */
      children: Schema.Natural,
      /** `kept`: the answer to the question was no. `unknown`: interrupted during the deletion. `notReached`: interrupted before it. */
      outcome: Schema.Literals(["deleted", "kept", "failed", "unknown", "notReached"]),
      /** Why it could not be deleted. */
      problem: Schema.optionalKey(Schema.String)
    })
  ),
  isDryRun: Schema.Boolean
})

type Removed = (typeof document.Type)["manifests"][number]

/** Tags that are looked up at the same time. */
const lookupsAtOnce = 8

const imageTypes: ReadonlyArray<string> = [MediaType.ociImageManifest, MediaType.dockerManifest]

/** A manifest of an unknown type may be an index: authors of indexes may state none for their entries, or only a word. */
const mayBeIndex = (mediaType: MediaType.MediaType | undefined): boolean =>
  mediaType === undefined || !imageTypes.includes(MediaType.essence(mediaType))

const decoder = new TextDecoder()

/** The manifests that a manifest names. Empty if it does not exist. */
const childrenOf = (store: ContentStore<StoreError>, digest: Digest.Digest) =>
  Effect.map(
    store.manifest({ digest }),
    Option.match({
      onNone: (): ReadonlyArray<Descriptor> => [],
      onSome: ({ bytes, descriptor }) =>
        Manifest.references(Manifest.view(descriptor.mediaType, decoder.decode(bytes))).manifests
    })
  )

/**
 * The same for an entry of an index, which may be a blob: distribution answers 500 where a blob is requested as a manifest. A
 * registry does not have a manifest as a blob.
 */
const childrenOfEntry = (store: ContentStore<StoreError>, digest: Digest.Digest) =>
  Effect.catchTag(childrenOf(store, digest), "RegistryError", (error) =>
    Effect.flatMap(store.has({ digest }), (isBlob) =>
      isBlob ? Effect.succeed<ReadonlyArray<Descriptor>>([]) : Effect.fail(error)
    )
  )

/** Tests whether an index leads to a manifest, at any depth. Each index is read once. */
const leadsTo = (store: ContentStore<StoreError>, wanted: Digest.Digest) => {
  const seen = new Set<Digest.Digest>()
  const visit = (digest: Digest.Digest): Effect.Effect<boolean, StoreError> =>
    Effect.suspend(() => {
      if (seen.has(digest)) return Effect.succeed(false)
      seen.add(digest)
      return Effect.flatMap(childrenOfEntry(store, digest), (manifests) => {
        if (manifests.some((child) => child.digest === wanted)) return Effect.succeed(true)
        const indexes = manifests.filter(({ mediaType }) => mayBeIndex(mediaType))
        return Effect.reduce(
          indexes,
          () => false,
          (isFound, child) => (isFound ? Effect.succeed(true) : visit(child.digest))
        )
      })
    })
  return visit
}

/** A manifest, and the tags that name it. */
interface Tagged {
  readonly digest: Digest.Digest
  readonly mediaType: MediaType.MediaType | undefined
  readonly tags: ReadonlyArray<string>
}

/** Reasons why a registry does not list manifests with their tags: it is not ACR, or the login lacks the permission. */
const untold: ReadonlySet<string> = new Set(["NotFound", "Unsupported", "Forbidden", "Unauthenticated"])

/** The manifests that ACR lists with their tags, including tags that are hidden from lists of tags. */
const told = ({ registry }: Place.Opened<unknown>) =>
  Option.match(registry, {
    onNone: () => Effect.succeed<ReadonlyArray<Tagged>>([]),
    onSome: ({ registry, repository }) =>
      registry.manifests(repository).pipe(
        Stream.map(({ digest, mediaType, tags }): Tagged => ({ digest, mediaType, tags })),
        Stream.filter(({ tags }) => tags.length > 0),
        Stream.runCollect,
        Effect.catchIf(
          ({ reason }) => untold.has(reason._tag),
          () => Effect.succeed<ReadonlyArray<Tagged>>([])
        )
      )
  })

/** Any registry lists tags. The digest of each takes a request. */
const listed = ({ store }: Place.Opened<ContentStore<StoreError>>) =>
  store.tags.pipe(
    Stream.mapEffect(
      (tag) =>
        Effect.map(
          store.resolve(tag),
          Option.map(({ digest, mediaType }): Tagged => ({ digest, mediaType, tags: [tag] }))
        ),
      { concurrency: lookupsAtOnce }
    ),
    Stream.runCollect,
    Effect.map(Arr.getSomes)
  )

const distinct = (tags: ReadonlyArray<string>): ReadonlyArray<string> => Array.from(new Set(tags)).toSorted()

/** All tags that name a manifest. Fails if a tag names an index that leads to it. */
const tagsOf = Effect.fnUntraced(function* (opened: Place.Opened<ContentStore<StoreError>>, digest: Digest.Digest) {
  const lists = Log.watchingLists()
  const all = yield* Effect.provide(
    Effect.zipWith(listed(opened), told(opened), (one, other) => [...one, ...other]),
    lists.layer
  )
  if (lists.hasLeftOut()) {
    const description =
      "the registry lists tags that cannot be read, so it is unknown whether one of them needs the manifest"
    return yield* new Unsafe({ description })
  }
  const others = all.filter((one) => one.digest !== digest && mayBeIndex(one.mediaType))
  const isOver = leadsTo(opened.store, digest)
  const broken = yield* Effect.filter(others, (one) => isOver(one.digest))
  if (broken.length > 0) {
    const names = distinct(broken.flatMap(({ tags }) => tags))
    const description = `${names.map(printable).join(", ")} would break: ${names.length === 1 ? "it names" : "they name"} an index that leads to ${digest}`
    return yield* new Unsafe({ description })
  }
  return distinct(all.filter((one) => one.digest === digest).flatMap(({ tags }) => tags))
})

/** A manifest to delete, and what is deleted with it. */
interface Doomed extends Omit<Removed, "outcome" | "problem"> {
  readonly opened: Place.Opened<ContentStore<StoreError>>
}

/** The manifest of a name, and what is deleted with it. */
const doomed = Effect.fnUntraced(function* (place: Pick<Place.Flags, "layout">, name: string) {
  const opened = yield* Place.existing(place, name)
  // A deletion must name its tag: there is no default of latest here.
  if (
    Option.exists(opened.registry, ({ reference }) => reference.tag === undefined && reference.digest === undefined)
  ) {
    return yield* new WrongCall({ description: `${name} names a repository: add a tag or a digest` })
  }
  const descriptor = yield* Place.resolve(opened, Option.none())
  const { digest } = descriptor
  return {
    name,
    digest,
    opened,
    tags: yield* tagsOf(opened, digest),
    referrers: yield* Stream.runCount(opened.store.referrers(digest)),
    children: mayBeIndex(descriptor.mediaType) ? (yield* childrenOf(opened.store, digest)).length : 0
  } satisfies Doomed
})

/** Deletes a manifest, unless it got tags since the question. */
const remove = Effect.fnUntraced(function* ({ digest, opened, tags }: Doomed, wasAsked: boolean) {
  if (wasAsked) {
    const others = (yield* tagsOf(opened, digest)).filter((tag) => !tags.includes(tag))
    if (others.length > 0) {
      const description = `${digest} is kept: since the question, it got ${others.length === 1 ? "the tag" : "the tags"} ${others.join(", ")}`
      return yield* new Unsafe({ description })
    }
  }
  yield* opened.store.remove({ digest })
})

const factsOf = ({ children, digest, name, referrers, tags }: Doomed) => ({ name, digest, tags, referrers, children })

const removedAs = (doomed: Doomed, fate: InTurn.Fate<void>): Removed => {
  const removed = factsOf(doomed)
  switch (fate._tag) {
    case "Done":
      return { ...removed, outcome: "deleted" }
    case "Failed":
      return { ...removed, outcome: "failed", problem: readingOf(fate.problem).why }
    case "Unknown":
      return { ...removed, outcome: "unknown" }
    case "NotReached":
      return { ...removed, outcome: "notReached" }
  }
}

const lineOf = ({
  children,
  digest,
  referrers,
  tags
}: Pick<Removed, "children" | "digest" | "referrers" | "tags">): string =>
  [
    digest,
    tags.length === 0 ? "no tag" : `tags ${tags.map(printable).join(", ")}`,
    ...(referrers === 0
      ? []
      : [`${referrers} ${referrers === 1 ? "referrer" : "referrers"}, which the registry deletes or keeps`]),
    ...(children === 0 ? [] : [`${children} ${children === 1 ? "manifest" : "manifests"} of the index, which stay`])
  ].join("\t")

const answerOf = (manifests: ReadonlyArray<Removed>, isDryRun: boolean): Answer.Answer =>
  Answer.make(
    document,
    { manifests, isDryRun },
    {
      text: () =>
        manifests.map(
          (one) => `${one.outcome === "deleted" ? outcomeOf(isDryRun, one.outcome) : one.outcome}\t${lineOf(one)}`
        ),
      quiet: manifests.filter(({ outcome }) => outcome === "deleted").map(({ digest }) => digest)
    }
  )

const removeManifests = Effect.fnUntraced(function* (
  place: Pick<Place.Flags, "layout">,
  names: ReadonlyArray<string>,
  { dryRun, yes }: { readonly dryRun: boolean; readonly yes: boolean }
) {
  // Two names of one manifest are one deletion.
  const all = Arr.dedupeWith(
    yield* Effect.forEach(names, (name) => doomed(place, name)),
    (left, right) => left.digest === right.digest && Place.isSame(left.opened.store, right.opened.store)
  )
  const isSure =
    dryRun || (yield* confirm(yes, ["This deletes:", ...all.map((one) => `  ${lineOf(one)}`)], "Delete them?"))
  if (!isSure) {
    const kept = all.map((one): Removed => ({ ...factsOf(one), outcome: "kept" }))
    return yield* Answer.print({ ...answerOf(kept, dryRun), code: exitCodes.no })
  }
  yield* InTurn.run(
    all.map((one) => ({
      what: `delete ${one.name}`,
      act: dryRun
        ? Locks.expectDeletable(one.opened.registry, one)
        : Locks.deleting(one.opened.registry, one, remove(one, !yes))
    })),
    (fates) =>
      answerOf(
        all.map((one, index) => removedAs(one, fates[index] ?? { _tag: "NotReached" })),
        dryRun
      )
  )
})

const program = (names: ReadonlyArray<string>, place: Pick<Place.Flags, "layout">): Program.Program =>
  Program.join(
    ...names.map((name, index) => {
      const own = names.length === 1 ? "" : `${index + 1}`
      const opened = Place.written(place, name, `store${own}`)
      const remove: Program.Program = {
        imports: { [Program.artifacts]: ["Artifact"] },
        lines: [
          `const manifest${own} = yield* Artifact.resolve(store${own}, ${Program.literal(opened.reference)})`,
          `yield* store${own}.remove(manifest${own})`
        ]
      }
      return Program.join(opened, remove)
    })
  )

export const rm = Command.make(
  "rm",
  {
    names: Argument.String("artifact").pipe(
      Argument.withDescription("registry/repository:tag, or with @digest; in a layout a tag or a digest"),
      Argument.atLeast(1)
    ),
    manifest: Flag.Boolean("manifest").pipe(
      Flag.withDescription("Delete the manifest with all of its tags. By default, only the tag is deleted"),
      Flag.withoutNegation,
      Flag.withDefault(false)
    ),
    dryRun: dryRunFlag,
    yes: yesFlag,
    ...Place.writeFlags
  },
  ({ dryRun, manifest, names, yes, ...place }) =>
    Verb.run(
      {
        what: `delete ${names.join(", ")}`,
        program: manifest ? program(names, place) : Untag.program(names, place),
        isDryRun: dryRun
      },
      manifest ? removeManifests(place, names, { dryRun, yes }) : Untag.untagAll(place, names, dryRun)
    )
).pipe(
  Verb.described({
    does: "Delete tags, or with --manifest the manifests that they name",
    examples: [
      { command: "eacr rm myregistry.azurecr.io/shop/api:v1.3.0", description: "Delete a tag" },
      {
        command: "eacr rm --manifest --yes myregistry.azurecr.io/shop/api:v1.3.0",
        description: "Delete an image with all of its tags"
      }
    ]
  })
)
