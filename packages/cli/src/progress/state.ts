/**
 * The state of a transfer: the sums of its events so far.
 */
import type * as Copy from "@effect-acr/artifacts/Copy"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"

export type Outcome = Copy.CopiedNode["outcome"]

/** An object's size and outcome. */
export type Node = Pick<Copy.CopiedNode, "outcome" | "size">

/** A manifest or a blob that is done. */
type Done = Node & Pick<Copy.CopiedNode, "digest" | "kind">

/** How many manifests and blobs have each outcome. */
export type Sums = Readonly<Record<Outcome, Copy.Total>>

/** The events of a transfer. */
export type Event =
  /** Up to this many more bytes will move. */
  | { readonly _tag: "Planned"; readonly bytes: number }
  /** This many bytes of a blob are read, from its beginning. */
  | { readonly _tag: "Read"; readonly digest: string; readonly bytes: number; readonly size: number }
  | { readonly _tag: "Done"; readonly node: Done }
  /** One of several copies ended. The next one reports the same content again. */
  | { readonly _tag: "Ended" }
  /** The registry asks to wait until an instant, in milliseconds. */
  | { readonly _tag: "Waits"; readonly until: number }

/** A blob in transfer. */
export interface Moving {
  readonly digest: string
  readonly bytes: number
  readonly size: number
}

/** How much was read at an instant, in milliseconds. */
interface Sample {
  readonly at: number
  readonly bytes: number
}

export interface State {
  readonly sums: Sums
  /** The objects that are done, so that content that is sent twice counts once. */
  readonly done: HashMap.HashMap<string, Done>
  /** The blobs in transfer, in the order in which they began. */
  readonly moving: ReadonlyMap<string, Moving>
  /** The most bytes that will move; undefined while unknown. */
  readonly planned: number | undefined
  /** All bytes that were read, including those that were read twice. */
  readonly read: number
  /** The latest samples, the oldest first. */
  readonly samples: ReadonlyArray<Sample>
  readonly waitsUntil: number
}

const nothing: Copy.Total = { nodes: 0, bytes: 0 }

export const noSums: Sums = { present: nothing, mounted: nothing, sent: nothing, skipped: nothing }

export const start = (now: number): State => ({
  sums: noSums,
  done: HashMap.empty(),
  moving: new Map(),
  planned: undefined,
  read: 0,
  samples: [{ at: now, bytes: 0 }],
  waitsUntil: now
})

const added = (sums: Sums, { outcome, size }: Node, sign: 1 | -1): Sums => ({
  ...sums,
  [outcome]: { nodes: sums[outcome].nodes + sign, bytes: sums[outcome].bytes + sign * size }
})

export const sumsOf = (nodes: ReadonlyArray<Node>): Sums => nodes.reduce((sums, node) => added(sums, node, 1), noSums)

const withRead = (state: State, { bytes, digest, size }: Moving): State => {
  const before = state.moving.get(digest)?.bytes ?? 0
  return {
    ...state,
    moving: new Map(state.moving).set(digest, { digest, bytes, size }),
    read: state.read + Math.max(0, bytes - before)
  }
}

const withDone = (state: State, node: Done): State => {
  const key = `${node.kind} ${node.digest}`
  const before = HashMap.get(state.done, key)
  const sums = Option.isSome(before) ? added(state.sums, before.value, -1) : state.sums
  const moving = new Map(state.moving)
  if (node.kind === "blob") moving.delete(node.digest)
  return { ...state, moving, sums: added(sums, node, 1), done: HashMap.set(state.done, key, node) }
}

/** The state after an event. */
export const step = (state: State, event: Event): State => {
  switch (event._tag) {
    case "Planned":
      return { ...state, planned: (state.planned ?? 0) + event.bytes }
    case "Read":
      return withRead(state, event)
    case "Done":
      return withDone(state, event.node)
    case "Ended":
      return { ...state, done: HashMap.empty() }
    case "Waits":
      return { ...state, waitsUntil: Math.max(state.waitsUntil, event.until) }
  }
}

/** The events of the progress for an event of a copy. */
export const ofCopy = (event: Copy.Event): Option.Option<Event> => {
  switch (event._tag) {
    case "Planned":
      return Option.some({ _tag: "Planned", bytes: event.bytes })
    case "Progress":
      return Option.some({ _tag: "Read", digest: event.digest, bytes: event.bytes, size: event.size })
    case "NodeDone":
      return Option.some({ _tag: "Done", node: event.node })
    case "TagDone":
      return Option.none()
    case "Finished":
      return Option.some({ _tag: "Ended" })
  }
}

/** The rate is that of the last ten seconds: an average of all would hide that a transfer stalls. */
const windowMillis = 10_000

/** Remembers how much was read by now. */
export const sampled = (state: State, now: number): State => {
  const recent = state.samples.filter(({ at }) => now - at <= windowMillis)
  return { ...state, samples: [...recent, { at: now, bytes: state.read }] }
}

/** Bytes per second; undefined during the first second. */
export const rate = ({ read, samples }: State, now: number): number | undefined => {
  const first = samples.at(0)
  return first === undefined || now - first.at < 1000 ? undefined : ((read - first.bytes) * 1000) / (now - first.at)
}

const total = ({ sums }: State, of: (sum: Copy.Total) => number): number =>
  of(sums.present) + of(sums.mounted) + of(sums.sent) + of(sums.skipped)

/** Adds sums up. */
export const together = (all: ReadonlyArray<Sums>): Sums => {
  const sum = (outcome: Outcome): Copy.Total => ({
    nodes: all.reduce((nodes, sums) => nodes + sums[outcome].nodes, 0),
    bytes: all.reduce((bytes, sums) => bytes + sums[outcome].bytes, 0)
  })
  return { present: sum("present"), mounted: sum("mounted"), sent: sum("sent"), skipped: sum("skipped") }
}

/** How many manifests and blobs are done. */
export const objects = (state: State): number => total(state, ({ nodes }) => nodes)

/** How many bytes the manifests and blobs have that are done. */
export const doneBytes = (state: State): number => total(state, (sum) => sum.bytes)

/** How many bytes are done, including those of blobs in transfer. */
export const bytes = (state: State): number =>
  doneBytes(state) + [...state.moving.values()].reduce((sum, moving) => sum + moving.bytes, 0)
