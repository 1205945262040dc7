/**
 * Referrers that the target has and does not list: where clients maintain the lists, a copy that is interrupted or refused may send
 * a referrer and not list it.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Reader } from "../../ContentStore.ts"
import { defaultMaxManifests, type Walked } from "../walk.ts"

/** Lists that are read at the same time. */
const listsAtOnce = 8

/** Manifests with what refers to them in a graph. The root may be a referrer of a manifest outside the graph. */
const subjectsIn = ({ nodes, root }: Walked): ReadonlyMap<Digest.Digest, ReadonlyArray<Digest.Digest>> => {
  const subjects = new Map(Array.from(nodes, ([digest, { referrers }]) => [digest, referrers] as const))
  const subject = Option.flatMap(Option.fromUndefinedOr(nodes.get(root)), (node) => node.subject)
  if (Option.isSome(subject) && !nodes.has(subject.value)) subjects.set(subject.value, [root])
  return subjects
}

/** A graph in which such referrers are `absent`: putting them again lists them. */
export const withUnlisted = <E>(target: Pick<Reader<E>, "referrers">, graph: Walked): Effect.Effect<Walked, E> => {
  const isThere = (digest: Digest.Digest): boolean => (graph.nodes.get(digest)?.presence ?? "absent") !== "absent"
  const unlistedOf = ([subject, referrers]: readonly [Digest.Digest, ReadonlyArray<Digest.Digest>]): Effect.Effect<
    ReadonlyArray<Digest.Digest>,
    E
  > => {
    const there = referrers.filter(isThere)
    if (there.length === 0) return Effect.succeed([])
    return target.referrers(subject).pipe(
      Stream.map(({ digest }) => digest),
      Stream.take(defaultMaxManifests),
      Stream.runCollect,
      Effect.map((found) => {
        const listed = new Set(found)
        return there.filter((digest) => !listed.has(digest))
      })
    )
  }
  return Effect.map(Effect.forEach(subjectsIn(graph), unlistedOf, { concurrency: listsAtOnce }), (found) => {
    const unlisted = new Set(found.flat())
    const nodes = Array.from(
      graph.nodes,
      ([digest, node]) => [digest, unlisted.has(digest) ? { ...node, presence: "absent" as const } : node] as const
    )
    return { ...graph, nodes: new Map(nodes) }
  })
}
