/**
 * A repository in memory that rules can be applied to: a store, with the times, locks and deletions of a registry beside it.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import type * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Referrer from "@effect-acr/client/Referrer"
import { Locked, NotFound, RegistryError } from "@effect-acr/client/RegistryError"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as MemoryStore from "../../src/MemoryStore.ts"
import * as Retention from "../../src/Retention.ts"
import type { Plan } from "../../src/RetentionPlan.ts"
import * as RetentionRules from "../../src/RetentionRules.ts"
import type { ManifestState, RetentionTarget, TagState } from "../../src/RetentionTarget.ts"
import { attachment, config, rawOf } from "./artifacts.ts"

/** The time of the registry when a test begins. */
export const start = DateTime.makeUnsafe("2026-06-30T12:00:00Z")

const notFound = (operation: string, resource: NotFound["resource"]) =>
  new RegistryError({ operation, reason: new NotFound({ resource, description: "not there" }) })

const locked = (operation: string) =>
  new RegistryError({ operation, reason: new Locked({ by: "lock", description: "locked" }) })

/** An image that has its name alone. */
export const image = (name: string): Manifest.Raw =>
  rawOf(MediaType.ociImageManifest, Manifest.format(Manifest.image({ config, layers: [], annotations: { name } })))

/** An index, maybe about another manifest. */
export const index = (name: string, children: ReadonlyArray<Manifest.Raw>, subject?: Manifest.Raw): Manifest.Raw =>
  rawOf(
    MediaType.ociImageIndex,
    Manifest.format(
      Manifest.index({
        manifests: children.map(({ descriptor }) => descriptor),
        annotations: { name },
        ...(subject === undefined ? {} : { subject: subject.descriptor })
      })
    )
  )

/** A referrer. */
export const referrer = (name: string, subject: Manifest.Raw, artifactType?: string): Manifest.Raw =>
  attachment(name, subject.descriptor, artifactType)

/** The tag under which cosign keeps a signature of a manifest. */
export const signatureTag = ({ descriptor }: Manifest.Raw): string => `${Referrer.tag(descriptor.digest)}.sig`

/** The tag that lists the referrers of a manifest. */
export const fallbackTag = ({ descriptor }: Manifest.Raw): string => Referrer.tag(descriptor.digest)

interface Record {
  createdOn: DateTime.Utc
  updatedOn: DateTime.Utc
  isLocked: boolean
  quarantineState?: string
}

/** A push, and how long ago it was. */
export interface Push {
  readonly manifest: Manifest.Raw
  readonly tags?: ReadonlyArray<string>
  /** Days before `start`. Defaults to now. */
  readonly age?: number
  readonly isLocked?: boolean
  readonly lockedTags?: ReadonlyArray<string>
  readonly quarantineState?: string
}

/** A request that a target sent. A look is one: nothing happens while it is under way. */
export interface Request {
  readonly name:
    | "now"
    | "contents"
    | "tags"
    | "manifests"
    | "manifest"
    | "tag"
    | "look"
    | "deleteTag"
    | "deleteManifest"
    | "unlock"
    | "relock"
    | "deletedTags"
  readonly subject: string
}

export interface TestRegistry {
  readonly store: MemoryStore.MemoryStore
  readonly target: RetentionTarget
  readonly push: (push: Push) => Effect.Effect<void, unknown>
  readonly lock: (tagOrDigest: string, isLocked?: boolean) => void
  readonly isLocked: (tagOrDigest: string) => boolean
  readonly hide: (tag: string) => void
  readonly isHidden: (tag: string) => boolean
  readonly tags: () => ReadonlyMap<string, Digest.Digest>
  readonly digests: () => ReadonlySet<string>
  readonly requests: Array<Request>
  /** Called before each request. */
  before: (request: Request) => Effect.Effect<void, RegistryError>
  /** The registry's time. */
  now: DateTime.Utc
}

/**
 * Makes an empty registry. It deletes referrers with their subject, as ACR does, and dates what is pushed again, unless told
 * not to.
 */
export const registry = (
  options: { readonly cascades?: boolean; readonly datesAgain?: boolean } = {}
): TestRegistry => {
  const { cascades = true, datesAgain = true } = options
  const store = MemoryStore.make()
  const manifests = new Map<Digest.Digest, Record>()
  const tags = new Map<string, { digest: Digest.Digest; updatedOn: DateTime.Utc; isLocked: boolean }>()
  const hidden = new Set<string>()
  const requests: Array<Request> = []

  const tagState = (name: string): Option.Option<TagState> =>
    Option.map(Option.fromUndefinedOr(tags.get(name)), (tag) => ({ name, ...tag }))
  const listedTags = () => Array.from(tags.keys()).filter((name) => !hidden.has(name))
  const tagsOf = (digest: Digest.Digest) =>
    Array.from(tags).flatMap(([name, tag]) => (tag.digest === digest ? [name] : []))

  const stateOf = (digest: Digest.Digest): Effect.Effect<Option.Option<ManifestState>> =>
    Effect.gen(function* () {
      const record = manifests.get(digest)
      const raw = yield* Effect.orDie(store.manifest({ digest }))
      if (record === undefined || Option.isNone(raw)) return Option.none()
      return Option.some({ digest, mediaType: raw.value.descriptor.mediaType, ...record, tags: tagsOf(digest) })
    })

  const send = <A, E>(name: Request["name"], subject: string, effect: Effect.Effect<A, E>) =>
    Effect.suspend(() => {
      requests.push({ name, subject })
      return Effect.andThen(self.before({ name, subject }), effect)
    })

  const list = <A>(name: Request["name"], items: () => Effect.Effect<ReadonlyArray<A>>) =>
    Stream.unwrap(Effect.map(send(name, "", Effect.suspend(items)), Stream.fromIterable))

  const referrersOf = (digest: Digest.Digest): Effect.Effect<ReadonlyArray<Digest.Digest>> =>
    Effect.map(Effect.orDie(Stream.runCollect(store.referrers(digest))), (all) => all.map((one) => one.digest))

  const removeManifest = (digest: Digest.Digest): Effect.Effect<void> =>
    Effect.gen(function* () {
      const referrers = cascades ? yield* referrersOf(digest) : []
      yield* Effect.orDie(store.remove({ digest }))
      manifests.delete(digest)
      for (const name of tagsOf(digest)) tags.delete(name)
      yield* Effect.forEach(referrers, removeManifest)
    })

  const target: RetentionTarget = {
    origin: { place: "memory", repository: "app" },
    now: send(
      "now",
      "",
      Effect.sync(() => Option.some(self.now))
    ),
    contents: send(
      "contents",
      "",
      Effect.sync(() => Option.some({ tagCount: listedTags().length, manifestCount: manifests.size, isLocked: false }))
    ),
    tags: list("tags", () => Effect.sync(() => listedTags().flatMap((name) => Option.toArray(tagState(name))))),
    listing: {
      _tag: "Everything",
      manifests: list("manifests", () =>
        Effect.map(Effect.forEach(Array.from(manifests.keys()), stateOf), (all) =>
          all.flatMap((one) => Option.toArray(one))
        )
      )
    },
    manifest: (digest) => send("manifest", digest, Effect.orDie(store.manifest({ digest }))),
    tag: (name) =>
      send(
        "tag",
        name,
        Effect.sync(() => tagState(name))
      ),
    look: (digests, since) =>
      send(
        "look",
        digests[0],
        Effect.gen(function* () {
          const found = yield* Effect.forEach(digests, stateOf)
          const all = yield* Effect.forEach(Array.from(manifests.keys()), stateOf)
          return {
            newerTags: listedTags()
              .flatMap((name) => Option.toArray(tagState(name)))
              .filter(({ updatedOn }) => updatedOn !== undefined && DateTime.isGreaterThanOrEqualTo(updatedOn, since)),
            manifests: new Map(found.flatMap((one) => Option.toArray(one)).map((one) => [one.digest, one] as const)),
            newer: all
              .flatMap((one) => Option.toArray(one))
              .filter(({ updatedOn }) => updatedOn !== undefined && DateTime.isGreaterThanOrEqualTo(updatedOn, since))
          }
        })
      ),
    deleteTag: (name) =>
      send(
        "deleteTag",
        name,
        Effect.suspend(() => {
          const tag = tags.get(name)
          if (tag === undefined) return notFound("deleteTag", "tag")
          if (tag.isLocked) return locked("deleteTag")
          tags.delete(name)
          return Effect.asVoid(Effect.orDie(store.untag(name)))
        })
      ),
    deleteManifest: (digest) =>
      send(
        "deleteManifest",
        digest,
        Effect.suspend(() => {
          const record = manifests.get(digest)
          if (record === undefined) return notFound("deleteManifest", "manifest")
          const isLocked = record.isLocked || tagsOf(digest).some((name) => tags.get(name)?.isLocked === true)
          return isLocked ? locked("deleteManifest") : removeManifest(digest)
        })
      ),
    unlock: (tagOrDigest) =>
      send(
        "unlock",
        tagOrDigest,
        Effect.sync(() => {
          self.lock(tagOrDigest, false)
          return {
            relock: send(
              "relock",
              tagOrDigest,
              Effect.sync(() => self.lock(tagOrDigest))
            )
          }
        })
      ),
    deletedTags: Stream.empty
  }

  const self: TestRegistry = {
    store,
    target,
    requests,
    before: () => Effect.void,
    now: start,
    push: ({ age = 0, isLocked = false, lockedTags = [], manifest, quarantineState, tags: names = [] }) =>
      Effect.gen(function* () {
        const { digest } = manifest.descriptor
        yield* store.putBlob(config, BlobSource.fromString("{}"))
        yield* store.putManifest(manifest, { tags: names, isSparse: true })
        const time = DateTime.subtractDuration(self.now, Duration.days(age))
        const known = manifests.get(digest)
        manifests.set(digest, {
          createdOn: known?.createdOn ?? time,
          updatedOn: datesAgain ? time : (known?.updatedOn ?? time),
          isLocked: known?.isLocked ?? isLocked,
          ...(quarantineState === undefined ? {} : { quarantineState })
        })
        for (const name of names) {
          tags.set(name, {
            digest,
            updatedOn: time,
            isLocked: lockedTags.includes(name) || tags.get(name)?.isLocked === true
          })
        }
      }),
    lock: (tagOrDigest, isLocked = true) => {
      for (const [digest, record] of manifests) if (digest === tagOrDigest) record.isLocked = isLocked
      const tag = tags.get(tagOrDigest)
      if (tag !== undefined) tag.isLocked = isLocked
    },
    isLocked: (tagOrDigest) =>
      tags.get(tagOrDigest)?.isLocked === true ||
      Array.from(manifests).some(([digest, { isLocked }]) => digest === tagOrDigest && isLocked),
    hide: (tag) => void hidden.add(tag),
    isHidden: (tag) => hidden.has(tag),
    tags: () => new Map(Array.from(tags, ([name, { digest }]) => [name, digest])),
    digests: () => new Set(manifests.keys())
  }
  return self
}

const decodeRules = Schema.decodeUnknownEffect(RetentionRules.Rules)

const keep = { action: "keep", because: "no rule names it" }

/** Rules whose defaults keep everything, without limits of harm unless they are given. */
export const rulesOf = (
  rules: ReadonlyArray<{ readonly [field: string]: unknown }>,
  others: { readonly [field: string]: unknown } = {}
): Effect.Effect<RetentionRules.Rules> =>
  Effect.orDie(
    decodeRules({
      repositories: ["**"],
      defaults: { tags: keep, untagged: keep, orphans: keep },
      rules: rules.map((rule, at) => ({ name: `rule ${at + 1}`, because: "a test", of: ["tags"], ...rule })),
      limits: { maxFraction: 1, minRemaining: 0 },
      ...others
    })
  )

/** The plan for a registry. */
export const planFor = (
  { target }: Pick<TestRegistry, "target">,
  rules: RetentionRules.Rules,
  supplied: Retention.Supplied = {}
): Effect.Effect<Plan, unknown> =>
  Effect.flatMap(Retention.inventory(target), (inventory) =>
    Effect.fromResult(Retention.plan(inventory, rules, supplied))
  )
