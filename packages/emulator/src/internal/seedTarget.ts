/**
 * A repository of the emulator as a store of content, without requests: seeds are put into it, and images are copied to
 * it.
 */
import { createReadStream } from "node:fs"
import type { ContentStore } from "@effect-acr/artifacts/ContentStore"
import type { BlobSource } from "@effect-acr/client/BlobSource"
import * as Descriptor from "@effect-acr/client/Descriptor"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Referrer from "@effect-acr/client/Referrer"
import type { RepositoryName } from "@effect-acr/client/RepositoryName"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { SeedError } from "../SeedError.ts"
import type { Answer } from "./answer.ts"
import * as Contents from "./contents.ts"
import type { Distribution } from "./distribution.ts"
import type { Management } from "./management.ts"
import {
  holdBlob,
  openRepository,
  putTag,
  referrersOf,
  type Repository,
  type Store,
  type StoredManifest,
  type Timestamp,
  touchRepository
} from "./store.ts"
import type { Trash } from "./trash.ts"

/** The parts of an emulator that seeds need. */
export interface Parts {
  readonly store: Store
  readonly trash: Pick<Trash, "holds" | "restore">
  readonly distribution: Pick<Distribution, "putManifest">
  readonly management: Pick<Management, "updateTag" | "updateManifest" | "updateRepository">
}

export interface Options {
  readonly repository: RepositoryName
  /** The time of the next thing to put. */
  readonly stamp: () => Timestamp
  /** The seed, for messages. */
  readonly seed: string
}

/** Whether an answer means that a thing is in the registry after it was put or restored. */
const isThere = ({ status }: Answer): boolean => status === 200 || status === 201

const textOf = ({ body }: Answer): string => (body instanceof Uint8Array ? new TextDecoder().decode(body) : "")

const descriptorOf = ({ digest, mediaType, size }: StoredManifest): Descriptor.Descriptor =>
  Descriptor.Descriptor.make({ mediaType: MediaType.MediaType.make(mediaType), digest, size })

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

export const make = (parts: Parts, { repository: name, seed, stamp }: Options): ContentStore<SeedError> => {
  const { distribution, store, trash } = parts
  const { directory } = store

  const fail = (description: string) => Effect.fail(new SeedError({ seed, description }))

  const broken = (cause: unknown): SeedError =>
    new SeedError({ seed, description: cause instanceof Error ? cause.message : String(cause), cause })

  /** Runs an operation that may fail, for example because the disk is full. */
  const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, SeedError> =>
    Effect.tryPromise({ try: run, catch: broken })

  const known = (): Repository | undefined => store.repositories.get(name)

  const find = (tagOrDigest: string): Option.Option<StoredManifest> =>
    Option.flatMapNullishOr(Option.fromUndefinedOr(known()), ({ manifests, tags }) =>
      manifests.get(tags.get(tagOrDigest)?.digest ?? tagOrDigest)
    )

  const rawOf = (manifest: StoredManifest): Effect.Effect<Manifest.Raw, SeedError> =>
    attempt(async () => ({
      bytes: Contents.read(directory, manifest.digest),
      descriptor: descriptorOf(manifest)
    }))

  const expectThere = (answer: Answer): Effect.Effect<void, SeedError> =>
    isThere(answer) ? Effect.void : fail(`the registry refuses it: ${answer.status} ${textOf(answer)}`)

  /** Restores a deleted manifest unchanged. */
  const putByDigest = ({ bytes, descriptor }: Manifest.Raw, now: Timestamp): Effect.Effect<void, SeedError> =>
    Effect.gen(function* () {
      const { digest, mediaType } = descriptor
      if (known()?.manifests.has(digest) === true) return
      yield* expectThere(
        trash.holds(name, digest)
          ? trash.restore(name, digest, { force: false, now, tag: undefined })
          : yield* attempt(() => distribution.putManifest(name, digest, mediaType, bytes, now))
      )
    })

  const setTag = (tag: string, digest: Descriptor.Descriptor["digest"], now: Timestamp) =>
    Effect.suspend(() => {
      const present = known()?.tags.get(tag)
      if (present?.digest === digest) return Effect.void
      if (present?.attributes.writeEnabled === false) return fail(`the tag ${tag} is locked`)
      return Effect.try({
        try: () => store.commit([...touchRepository(store, name, now), putTag(store, name, tag, digest, now)]),
        catch: broken
      })
    })

  const write = <E, R>(
    { digest }: Pick<Descriptor.Descriptor, "digest">,
    source: Pick<BlobSource<E, R>, "read">,
    hold: () => void
  ): Effect.Effect<void, E | SeedError, R> =>
    Effect.acquireUseRelease(
      attempt(() => Contents.start(directory)),
      (incoming) =>
        Effect.gen(function* () {
          yield* Stream.runForEach(source.read(0), (piece) =>
            attempt(() => Contents.append(incoming, once(piece), piece.length))
          )
          if (!Contents.matches(incoming, digest)) return yield* fail(`the content of ${digest} has another digest`)
          yield* attempt(() => Contents.take(store, incoming, digest, hold))
        }),
      (incoming) => Effect.promise(() => Contents.discard(incoming))
    )

  return {
    origin: { place: directory, repository: name },
    resolve: (tagOrDigest) => Effect.sync(() => Option.map(find(tagOrDigest), descriptorOf)),
    manifest: ({ digest }) =>
      Effect.suspend(() => {
        const manifest = find(digest)
        return Option.isNone(manifest) ? Effect.succeedNone : Effect.asSome(rawOf(manifest.value))
      }),
    blob: ({ digest, size }) => ({
      sizeBytes: Effect.succeed(size),
      read: (offset) =>
        Stream.fromAsyncIterable(createReadStream(Contents.fileOf(directory, digest), { start: offset }), broken),
      repeatable: true
    }),
    has: ({ digest }) => Effect.sync(() => known()?.blobs.has(digest) === true),
    tags: Stream.suspend(() => Stream.fromIterable(Array.from(known()?.tags.keys() ?? []))),
    referrers: (subject, { artifactType } = {}) =>
      Stream.suspend(() => {
        const repository = known()
        const all = repository === undefined ? [] : referrersOf(repository, subject)
        return Stream.fromIterable(all).pipe(
          Stream.mapEffect(rawOf),
          Stream.flatMap((raw) => Stream.fromIterable(Option.toArray(Referrer.fromManifest(raw)))),
          Stream.map(({ descriptor }) => descriptor),
          Stream.filter((descriptor) => artifactType === undefined || descriptor.artifactType === artifactType)
        )
      }),
    keeps: ({ digest }) => Effect.sync(() => known()?.manifests.has(digest) === true),
    putManifest: (raw, { tags = [] } = {}) =>
      Effect.gen(function* () {
        const now = stamp()
        yield* putByDigest(raw, now)
        for (const tag of tags) yield* setTag(tag, raw.descriptor.digest, now)
        return { listedBy: Option.none() }
      }),
    putBlob: (blob, source) =>
      Effect.gen(function* () {
        const { digest, size } = blob
        const now = stamp()
        const hold = () => store.commit([...openRepository(store, name, now), ...holdBlob(name, digest, size)])
        if (known()?.blobs.has(digest) === true) {
          // Without a manifest that names it, the blob would be swept later.
          store.touch(name, digest)
          return "present"
        }
        if (!store.blobs.has(digest)) {
          yield* write(blob, source.unverified ?? source, hold)
          return "sent"
        }
        yield* attempt(async () => hold())
        store.touch(name, digest)
        return "mounted"
      }),
    // Stores offer both. Seeds use neither.
    untag: () => fail("seeds remove no tag"),
    remove: () => fail("seeds remove no manifest"),
    batch: identity
  }
}
