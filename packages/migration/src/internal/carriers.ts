/**
 * Sends the blobs that many artifacts share once: other repositories of the target mount them.
 */
import type { ContentStore, Origin } from "@effect-acr/artifacts/ContentStore"
import type * as Digest from "@effect-acr/client/Digest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Semaphore from "effect/Semaphore"
import type { MigrationError } from "../MigrationError.ts"
import type { Rules } from "../MigrationRules.ts"
import { placeName } from "./names.ts"
import type { Opened, PlaceError, Places } from "./places.ts"
import type { Repository, Run, Store } from "./store/store.ts"

interface Carrying {
  readonly store: Store
  readonly places: Places
  readonly rules: Rules
  readonly run: Run
}

const defaultBytesInFlight = 256 * 1024 * 1024

/** The unit in which bytes in flight are counted. */
const unit = 64 * 1024

/** Sends each blob of a process to a target once at a time, and records which repository has it. */
export const make = Effect.fnUntraced(function* ({ places, rules, run, store }: Carrying) {
  const limit = Math.max(1, Math.floor((rules.limits?.bytesInFlight ?? defaultBytesInFlight) / unit))
  const underWay = yield* Semaphore.make(limit)
  /** The ends of running uploads, by target and digest. */
  const ends = new Map<string, Deferred.Deferred<void>>()
  /** Blobs that have arrived and are not in the database yet. */
  const arrived = new Map<
    string,
    { readonly place: number; readonly digest: Digest.Digest; readonly repository: number }
  >()
  const placeOf = (route: number): number => {
    const to = rules.routes[route]?.to
    return rules.routes.findIndex((other) => to !== undefined && placeName(other.to) === placeName(to))
  }

  /** A target repository that mounts blobs from other repositories, and receives each blob once. */
  const targetOf = (
    { store: target }: Opened,
    repository: Repository,
    byId: ReadonlyMap<number, Repository>
  ): ContentStore<PlaceError | MigrationError> => {
    const place = placeOf(repository.route)
    const there = new Set<Digest.Digest>()
    const originOf = (id: number): Effect.Effect<ReadonlyArray<Origin>, PlaceError> => {
      const found = byId.get(id)
      const to = found === undefined ? undefined : rules.routes[found.route]?.to
      if (found === undefined || to === undefined || found.target === repository.target) return Effect.succeed([])
      return Effect.map(places.target(to, found.target), ({ store: { origin } }) => [origin])
    }
    const carriersOf = (digest: Digest.Digest): Effect.Effect<ReadonlyArray<Origin>, PlaceError | MigrationError> => {
      const pending = arrived.get(`${place} ${digest}`)
      if (pending !== undefined) return originOf(pending.repository)
      return Effect.flatMap(store.carrier(run.id, place, digest), (id) =>
        Option.isNone(id) ? Effect.succeed([]) : originOf(id.value)
      )
    }
    const putOnce: ContentStore<PlaceError | MigrationError>["putBlob"] = (blob, source, { from = [] } = {}) =>
      Effect.uninterruptibleMask((restore) => {
        const { digest, size } = blob
        const key = `${place} ${digest}`
        const other = ends.get(key)
        if (other !== undefined) return restore(Effect.andThen(Deferred.await(other), putBlob(blob, source, { from })))
        const end = Deferred.makeUnsafe<void>()
        ends.set(key, end)
        const put = Effect.flatMap(carriersOf(digest), (carriers) =>
          underWay.withPermits(Math.min(limit, Math.ceil(size / unit)))(
            target.putBlob(blob, source, { from: [...carriers, ...from] })
          )
        )
        return Effect.onExit(restore(put), (exit) => {
          if (Exit.isSuccess(exit)) {
            there.add(digest)
            if (exit.value !== "mounted") arrived.set(key, { place, digest, repository: repository.id })
          }
          ends.delete(key)
          return Deferred.succeed(end, undefined)
        })
      })
    const putBlob: ContentStore<PlaceError | MigrationError>["putBlob"] = (blob, source, options) =>
      Effect.suspend(() => (there.has(blob.digest) ? Effect.succeed("present") : putOnce(blob, source, options)))
    return {
      ...target,
      putBlob,
      // The target may lack a blob after all: check all of them again.
      putManifest: (manifest, options) =>
        Effect.tapError(target.putManifest(manifest, options), () => Effect.sync(() => there.clear()))
    }
  }

  /** Takes the blobs that have arrived since the last call. */
  const take = () => {
    const taken = Array.from(arrived.entries())
    return {
      rows: taken.map(([, row]) => ({ run: run.id, ...row })),
      forget: () => {
        for (const [key, row] of taken) if (arrived.get(key) === row) arrived.delete(key)
      }
    }
  }

  return { targetOf, take }
})
