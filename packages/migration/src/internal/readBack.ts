/**
 * Reads copied artifacts back from the target, and sends damaged ones again.
 */
import type { Reader } from "@effect-acr/artifacts/ContentStore"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as Graph from "@effect-acr/artifacts/Graph"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Rules } from "../MigrationRules.ts"
import type { Doubted } from "./compare.ts"
import { isDamaged, messageOf } from "./failures.ts"
import { patiently } from "./patience.ts"
import type { Opened, PlaceError, Source } from "./places.ts"

/** The result: intact, damaged and repaired, damaged still, or unreadable. */
export interface Finding {
  readonly outcome: "whole" | "repaired" | "damaged" | "unread"
  readonly detail?: string
}

const blobsAtOnce = 4

/** The blobs of an artifact that do not match their digests or are missing. Fails if reading fails for another reason. */
const damagedIn = (target: Reader<PlaceError>, root: Digest.Digest, referrers: boolean) =>
  Effect.gen(function* () {
    const resolved = yield* target.resolve(root)
    if (Option.isNone(resolved)) return undefined
    const graph = yield* Graph.read(target, resolved.value, referrers ? { referrers: {} } : {})
    const damaged: Array<Descriptor> = []
    yield* Effect.forEach(
      Graph.blobs(graph).filter((blob) => !Graph.isForeign(blob)),
      (blob) =>
        Stream.runDrain(target.blob(blob).read(0)).pipe(
          Effect.catchIf(isDamaged, () => Effect.sync(() => void damaged.push(blob)))
        ),
      { concurrency: blobsAtOnce, discard: true }
    )
    return damaged
  })

/** Reads an artifact back. Sends it again if it is damaged, and then reads it once more. */
export const readBack = (
  source: Source,
  target: Opened,
  rules: Rules,
  { digest, root, tags }: Pick<Doubted, "digest" | "root" | "tags">,
  options: Copy.Options
): Effect.Effect<Finding> => {
  const look = patiently(damagedIn(target.store, root, rules.referrers !== false))
  const repair = (damaged: ReadonlyArray<Descriptor>) =>
    Effect.gen(function* () {
      yield* Effect.forEach(damaged, (blob) => target.discard(blob.digest), { discard: true })
      // `walk`, since the manifest is there. Without mounts: other repositories may share the damaged bytes.
      yield* Copy.run(source.store, target.store, digest, { ...options, tags, trust: "walk" })
    })
  return Effect.gen(function* (): Effect.fn.Return<Finding, unknown> {
    const damaged = yield* look
    if (damaged === undefined || damaged.length === 0) return { outcome: "whole" }
    const names = damaged.map((blob) => blob.digest).join(", ")
    const repaired = yield* Effect.result(patiently(repair(damaged)))
    const left = yield* look
    if (repaired._tag === "Success" && left?.length === 0) {
      return { outcome: "repaired", detail: `the target had other bytes for ${names}, which were sent again` }
    }
    const why = repaired._tag === "Failure" ? `: ${messageOf(repaired.failure)}` : ""
    return { outcome: "damaged", detail: `the target has other bytes for ${names}, and does not take them anew${why}` }
  }).pipe(Effect.catch((error) => Effect.succeed<Finding>({ outcome: "unread", detail: messageOf(error) })))
}
