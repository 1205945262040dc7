/**
 * The sample of copied artifacts that a pass reads back from the target.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Route, Rules } from "../MigrationRules.ts"
import type { Doubted } from "./compare.ts"
import type { Places } from "./places.ts"
import { type Finding, readBack } from "./readBack.ts"
import type { Repository, Run, Store } from "./store/store.ts"

/** An artifact of a repository to read back. */
interface Sampled extends Doubted {
  readonly repository: Repository
  readonly route: Route
}

/** The result of reading an artifact back. */
interface ReadBack extends Finding {
  readonly repository: Repository
  readonly digest: Digest.Digest
}

export interface Sampling {
  readonly store: Store
  readonly places: Places
  readonly rules: Rules
  readonly run: Run
  readonly onReadBack: (found: ReadBack) => Effect.Effect<void>
}

const defaultSample = 5

/** The sample of a pass to read back. Digests are random, so the lowest ones are a random sample. */
export const makeSample = (rules: Rules) => {
  const size = rules.verify?.sample ?? defaultSample
  let sampled: ReadonlyArray<Sampled> = []
  const doubted: Array<Sampled> = []
  /** All artifacts that were ever in the sample and become `verified`, by repository. */
  const held = new Map<number, ReadonlySet<Digest.Digest>>()
  const add = (repository: number, copied: ReadonlyArray<Sampled>): ReadonlySet<Digest.Digest> => {
    doubted.push(...copied.filter(({ wasDamaged }) => wasDamaged))
    const all = [...sampled, ...copied.filter(({ wasDamaged }) => !wasDamaged)]
    sampled = all.toSorted((one, other) => (one.digest < other.digest ? -1 : 1)).slice(0, size)
    const own = new Set(
      sampled.flatMap(({ digest, repository: { id }, state }) =>
        id === repository && state === "verified" ? [digest] : []
      )
    )
    if (own.size > 0) held.set(repository, own)
    return own
  }
  return { add, held, all: () => [...doubted, ...sampled] }
}

/** Reads an artifact back, and records the result if it contradicts the lists. */
export const readSample = (
  { onReadBack, places, rules, run, store }: Sampling,
  { repository, route, ...doubted }: Sampled
) =>
  Effect.gen(function* () {
    const { digest } = doubted
    const opened = yield* Effect.option(
      Effect.all([places.source(route.from, repository.source), places.target(route.to, repository.target)])
    )
    if (Option.isNone(opened)) return
    const found = yield* readBack(...opened.value, rules, doubted)
    yield* onReadBack({ ...found, repository, digest })
    if (found.outcome === "whole" && !doubted.wasDamaged) return
    const { detail, outcome } = found
    const isDamaged = outcome === "damaged" || (outcome === "unread" && doubted.wasDamaged)
    // Copies passed over it while it was damaged: one looks for what has come since.
    const state = isDamaged ? "failed" : outcome === "whole" ? "planned" : doubted.state
    const kind = isDamaged ? "damaged" : outcome
    const revised = {
      ...(doubted.root === digest ? {} : { root: doubted.root }),
      state,
      ...(outcome === "whole" ? {} : { class: kind }),
      ...(detail === undefined ? {} : { detail })
    } as const
    yield* store.during(run, store.revise(repository.id, digest, revised))
  })
