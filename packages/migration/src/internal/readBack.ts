/**
 * Reads copied artifacts back from the target, and sends damaged ones again.
 */
import type { Reader } from "@effect-acr/artifacts/ContentStore"
import * as Graph from "@effect-acr/artifacts/Graph"
import type * as Digest from "@effect-acr/client/Digest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Rules } from "../MigrationRules.ts"
import { copyArtifact } from "./artifact.ts"
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

/** Content that is missing at the target, or does not match its digest. */
interface Damaged {
  readonly digest: Digest.Digest
  /** Whether it is deleted before it is sent again: a registry does not replace a blob that it has. */
  readonly isBlob: boolean
}

/** The missing manifest that keeps a graph from being read. Sparse indexes lack manifests by the rules. */
const missingIn = (
  { path, problem }: Graph.GraphError,
  { index, platforms }: Rules
): ReadonlyArray<Damaged> | undefined => {
  const digest = path.at(-1)
  const mayLack = index === "sparse" && platforms !== undefined && path.length > 1
  return problem === "Missing" && digest !== undefined && !mayLack ? [{ digest, isBlob: false }] : undefined
}

/** The content of an artifact that is damaged. Fails if reading fails for another reason. */
const damagedIn = (
  target: Reader<PlaceError>,
  root: Digest.Digest,
  rules: Rules
): Effect.Effect<ReadonlyArray<Damaged>, PlaceError | Graph.GraphError> =>
  Effect.gen(function* () {
    const resolved = yield* target.resolve(root)
    if (Option.isNone(resolved)) return [{ digest: root, isBlob: false }]
    const graph = yield* Graph.read(target, resolved.value, rules.referrers === false ? {} : { referrers: {} })
    const damaged: Array<Damaged> = []
    yield* Effect.forEach(
      Graph.blobs(graph).filter((blob) => !Graph.isForeign(blob)),
      (blob) =>
        Stream.runDrain(target.blob(blob).read(0)).pipe(
          Effect.catchIf(isDamaged, () => Effect.sync(() => void damaged.push({ digest: blob.digest, isBlob: true })))
        ),
      { concurrency: blobsAtOnce, discard: true }
    )
    return damaged
  }).pipe(
    Effect.catchTag("GraphError", (error) => {
      const missing = missingIn(error, rules)
      return missing === undefined ? Effect.fail(error) : Effect.succeed(missing)
    })
  )

/** Reads an artifact back. Sends it again if it is damaged, and then reads it once more. */
export const readBack = (
  source: Source,
  target: Opened,
  rules: Rules,
  { digest, root, tags }: Pick<Doubted, "digest" | "root" | "tags">
): Effect.Effect<Finding> => {
  const look = patiently(damagedIn(target.store, root, rules))
  const repair = (damaged: ReadonlyArray<Damaged>) =>
    Effect.gen(function* () {
      const blobs = damaged.filter(({ isBlob }) => isBlob)
      // Some registries refuse to delete a blob that they have lost, and accept it again.
      const [kept] = yield* Effect.forEach(blobs, (blob) => Effect.result(patiently(target.discard(blob.digest)))).pipe(
        Effect.map(Arr.getFailures)
      )
      // `walk`, since the manifest is there. Without mounts: other repositories may share the damaged bytes.
      yield* copyArtifact(source.store, target.store, { digest, tags }, rules, { trust: "walk" })
      return kept
    })
  return Effect.gen(function* (): Effect.fn.Return<Finding, unknown> {
    const damaged = yield* look
    if (damaged.length === 0) return { outcome: "whole" }
    const names = damaged.map((one) => one.digest).join(", ")
    const repaired = yield* Effect.result(patiently(repair(damaged)))
    const left = yield* look
    if (repaired._tag === "Success" && left.length === 0) {
      return { outcome: "repaired", detail: `the target lacked ${names}, or had other bytes: sent again` }
    }
    const reason = repaired._tag === "Failure" ? repaired.failure : repaired.success
    const why = reason === undefined ? "" : `: ${messageOf(reason)}`
    return {
      outcome: "damaged",
      detail: `the target lacks ${names}, or has other bytes, and does not take them anew${why}`
    }
  }).pipe(Effect.catch((error) => Effect.succeed<Finding>({ outcome: "unread", detail: messageOf(error) })))
}
