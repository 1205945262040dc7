/**
 * A registry that others use while a retention runs, and what has to be there in the end. What that is, is worked out from what
 * the registry holds at each moment, and not by the code that is tested.
 */
import type * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import { Forbidden, RegistryError, Unavailable } from "@effect-acr/client/RegistryError"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Plan } from "../../src/RetentionPlan.ts"
import type { RetentionTarget } from "../../src/RetentionTarget.ts"
import type { Request, TestRegistry } from "./retention.ts"
import { attachedBy, type Cast, make as makeManifest, Ref, Shape, TagOf, tagName } from "./retentionCases.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

/** What others do, so many requests after what they did before. */
export const Event = Schema.Struct({
  after: upTo(5),
  does: Schema.Union([
    Schema.Struct({ kind: Schema.Literal("tag"), what: Ref, tag: TagOf }),
    Schema.Struct({
      kind: Schema.Literal("push"),
      shape: Shape,
      tags: Schema.Array(TagOf).check(Schema.isMaxLength(1))
    }),
    Schema.Struct({ kind: Schema.Literals(["push again", "delete", "untag"]), what: Ref }),
    Schema.Struct({ kind: Schema.Literals(["lock", "lock tag", "unlock"]), what: Ref })
  ])
})

export type Event = typeof Event.Type

/** What goes wrong with a request of a run. */
export const Fault = Schema.Struct({
  at: upTo(40),
  kind: Schema.Literals(["interrupted before", "interrupted after", "unavailable", "forbidden", "answer lost"])
})

export type Fault = typeof Fault.Type

/** A request, by the fibre that sent it: each action is carried out by one. */
interface Sent extends Request {
  readonly fiber: number
}

export interface World {
  readonly target: RetentionTarget
  /** What happened, for people to read. */
  readonly story: Array<string>
  readonly requests: Array<Sent>
  /** What was deleted, and the run knows it. */
  readonly acknowledged: Set<string>
  /** What others begin to do now, and what goes wrong from now on. */
  readonly begin: (run: Run) => void
  /** What is left for others to do is done. */
  readonly finish: Effect.Effect<void>
  /** Requires what a plan keeps. */
  readonly require: (plan: Plan) => Effect.Effect<void>
  /** What is required and is not there. */
  readonly missing: () => ReadonlyArray<string>
  /** Whether others did anything. */
  readonly isDisturbed: () => boolean
  /** The request that the registry forbade, if it did. */
  readonly forbidden: () => Request["name"] | undefined
  /** What stays unlocked, since the registry did not answer. */
  readonly isRefused: ReadonlySet<string>
  readonly nameOf: (tagOrDigest: string) => string
}

interface Run {
  readonly events: ReadonlyArray<Event>
  readonly fault: Fault | undefined
  /** The fibre that is interrupted. */
  readonly interrupt: () => void
  /** Whether other fibres go on now and then while one waits for an answer. */
  readonly yields: boolean
}

const decoder = new TextDecoder()

const Named = Schema.fromJsonString(
  Schema.Struct({
    manifests: Schema.optionalKey(Schema.Array(Schema.Struct({ digest: Schema.String }))),
    subject: Schema.optionalKey(Schema.Struct({ digest: Schema.String }))
  })
)

const decodeNamed = Schema.decodeUnknownSync(Named)

/** What the manifest says that it names. */
const namedBy = ({ bytes }: Manifest.Raw): { readonly children: ReadonlyArray<string>; readonly subject?: string } => {
  const { manifests = [], subject } = decodeNamed(decoder.decode(bytes))
  return {
    children: manifests.map(({ digest }) => digest),
    ...(subject === undefined ? {} : { subject: subject.digest })
  }
}

/**
 * What has to be there for a pull of some manifests with everything: manifests and tags. Of what is not there only the name is
 * followed, unless anything is.
 */
const closure = (
  all: ReadonlyMap<string, ReturnType<typeof namedBy>>,
  held: TestRegistry,
  roots: Iterable<string>,
  { isAny = false, withSubjects }: { readonly isAny?: boolean; readonly withSubjects: boolean }
): ReadonlySet<string> => {
  const isThere = held.digests()
  const tags = held.tags()
  const found = new Set(roots)
  for (const digest of found) {
    if (!isAny && !isThere.has(digest)) continue
    const named = all.get(digest)
    for (const child of named?.children ?? []) found.add(child)
    if (withSubjects && named?.subject !== undefined) found.add(named.subject)
    for (const [other, { subject }] of all) if (subject === digest && isThere.has(other)) found.add(other)
    for (const [name, other] of tags) {
      // What is attached to itself is not attached.
      if (attachedBy(name) === digest && other !== digest) found.add(name).add(other)
    }
  }
  return found
}

/** What has to be there, and why. */
interface Requirement {
  readonly because: string
  /** From where it was found. */
  readonly roots: ReadonlyArray<string>
  readonly withSubjects: boolean
  /** Digests and tags. */
  readonly things: Set<string>
  /** The tag without which it need not be there, if times do not tell that it was pushed again. */
  readonly tag?: string
  readonly isSeen: boolean
}

const failure = (kind: Fault["kind"]) =>
  new RegistryError({
    operation: "test",
    reason:
      kind === "forbidden"
        ? new Forbidden({ description: "not allowed" })
        : new Unavailable({ description: "try again later" })
  })

export const make = (
  held: TestRegistry,
  cast: Cast,
  story: Array<string>,
  options: {
    /** Whether the registry's times tell that something was pushed again. */
    readonly datesAgain: boolean
  }
): World => {
  const requests: Array<Sent> = []
  const acknowledged = new Set<string>()
  let required: ReadonlyArray<Requirement> = []
  const requiredTags = new Map<
    string,
    { readonly digest: Digest.Digest; readonly because: string; readonly isSeen: boolean }
  >()
  const locked = new Set<string>()
  const lost: Array<string> = []
  const mayUnlock = new Set<string>()
  const isRefused = new Set<string>()
  /** What was looked at and may be deleted next: pushes into that time are lost, and tested elsewhere. */
  const windows = new Map<string | Fiber.Fiber<unknown, unknown>, ReadonlySet<string>>()
  let run: Run = { events: [], fault: undefined, interrupt: () => {}, yields: false }
  let waiting: Array<Event> = []
  let sinceLast = 0
  let count = 0
  const made = new Map<Event, ReturnType<typeof makeManifest>>()
  let isDisturbed = false
  let forbidden: Request["name"] | undefined

  const named = new Map<string, ReturnType<typeof namedBy>>()
  const allNamed = () => {
    for (const one of cast.manifests.slice(named.size)) named.set(one.descriptor.digest, namedBy(one))
    return named
  }
  const closureOf = (roots: Iterable<string>, options: Parameters<typeof closure>[3]) =>
    closure(allNamed(), held, roots, options)

  const isReferrer = (digest: string | undefined) =>
    digest !== undefined && allNamed().get(digest)?.subject !== undefined

  const nameOf = (tagOrDigest: string) =>
    Array.from(cast.names).reduce(
      (text, [digest, name]) =>
        text.replaceAll(digest, `<${name}>`).replaceAll(digest.replace(":", "-"), `of <${name}>`),
      tagOrDigest
    )

  const hasRead = (name: Request["name"]) => requests.some((request) => request.name === name)

  const isOpen = (touched: ReadonlySet<string>) => {
    for (const [by, group] of windows) {
      if (typeof by !== "string" && by.pollUnsafe() !== undefined) windows.delete(by)
      else if (Array.from(touched).some((one) => group.has(one))) return true
    }
    return false
  }

  /** Requires what is there of the closure of something. */
  const requireAll = (
    roots: ReadonlyArray<string>,
    { because, isSeen, tag, withSubjects }: Omit<Requirement, "things" | "roots">
  ) => {
    const isThere = held.digests()
    const tags = held.tags()
    const found = Array.from(closureOf(roots, { withSubjects })).filter((one) => isThere.has(one) || tags.has(one))
    required = [
      ...required,
      { because, roots, withSubjects, things: new Set(found), isSeen, ...(tag === undefined ? {} : { tag }) }
    ]
  }

  const missing = (): ReadonlyArray<string> => {
    const isThere = held.digests()
    const tags = held.tags()
    const gone = (things: ReadonlySet<string>) =>
      Array.from(things).filter((one) => !isThere.has(one) && !tags.has(one))
    return [
      ...lost,
      ...required.flatMap(({ because, things }) => gone(things).map((one) => `${nameOf(one)} is gone: ${because}`)),
      ...Array.from(requiredTags).flatMap(([name, { because, digest }]) =>
        tags.get(name) === digest ? [] : [`the tag ${nameOf(name)} is gone: ${because}`]
      ),
      ...gone(locked).map((one) => `${nameOf(one)} is gone: others locked it`)
    ]
  }

  /** What others deleted, moved or untagged need not be there any more, nor what was needed for that alone. */
  const forgive = (before: ReadonlySet<string>, tagsBefore: ReadonlyMap<string, Digest.Digest>) => {
    const after = held.digests()
    const tags = held.tags()
    const taken = Array.from(before).filter((digest) => !after.has(digest))
    const untagged = Array.from(tagsBefore).flatMap(([name, digest]) => (tags.get(name) === digest ? [] : [name]))
    for (const one of [...taken, ...untagged]) locked.delete(one)
    for (const name of untagged) if (!tags.has(name)) requiredTags.delete(name)
    if (taken.length === 0 && untagged.length === 0) return
    required = required.filter(({ tag }) => tag === undefined || !untagged.includes(tag))
    for (const { roots, things, withSubjects } of required) {
      const found = closureOf(roots, { withSubjects })
      for (const one of things) if (taken.includes(one) || untagged.includes(one) || !found.has(one)) things.delete(one)
    }
  }

  /** What an event is about to do, and what that touches. */
  interface Deed {
    readonly touched: ReadonlySet<string>
    readonly text: string
    readonly run: Effect.Effect<void>
  }

  const push = (manifest: Manifest.Raw, tags: ReadonlyArray<string>): Deed => {
    const { digest } = manifest.descriptor
    const attachedTo = tags.map(attachedBy)
    const text = `pushed ${nameOf(digest)} ${tags.map(nameOf).join(" ")}`
    return {
      touched: new Set([...closureOf([digest, ...attachedTo], { isAny: true, withSubjects: true }), ...tags]),
      text,
      run: Effect.gen(function* () {
        // Nothing shows that something was pushed again without a tag, if times do not.
        const before = held.digests()
        const tagsBefore = held.tags()
        const isUnseen = before.has(digest) && !options.datesAgain
        yield* Effect.orDie(held.push({ manifest, tags }))
        // What came before the inventory read its lists is judged by the rules, as all else.
        const isSeen = !hasRead("tags") || (!hasRead("manifests") && tags.length === 0)
        forgive(before, tagsBefore)
        for (const tag of tags) requiredTags.set(tag, { digest, because: text, isSeen })
        const requirement = { because: text, isSeen }
        if (!isUnseen) requireAll([digest], { ...requirement, withSubjects: true })
        for (const tag of tags) {
          // No list has a hidden tag, and its manifest may have no new time either.
          const subjects = held.isHidden(tag) && isUnseen ? [] : [attachedBy(tag)]
          requireAll([digest, ...subjects], { ...requirement, tag, withSubjects: false })
        }
      })
    }
  }

  const lock = (what: string, isLocked: boolean, isRequired = true): Deed => ({
    touched: new Set([what]),
    text: `${isLocked ? "locked" : "unlocked"} ${nameOf(what)}`,
    run: Effect.sync(() => {
      // What the run may unlock and lock again, others lock in vain.
      if (isRequired && isLocked && !held.isLocked(what) && !mayUnlock.has(what)) locked.add(what)
      if (!isLocked) locked.delete(what)
      held.lock(what, isLocked)
    })
  })

  const take = (text: string, what: string, effect: Effect.Effect<void, unknown>): Deed => ({
    touched: new Set([what]),
    text,
    run: Effect.gen(function* () {
      const before = held.digests()
      const tagsBefore = held.tags()
      yield* Effect.ignore(effect)
      forgive(before, tagsBefore)
    })
  })

  /** What an event does by now; nothing if it is about something that is not there. */
  const deedOf = (event: Event): Deed | undefined => {
    const { does } = event
    if (does.kind === "push") {
      const { manifest, tags } = made.get(event) ?? makeManifest(cast, `p${made.size}`, does.shape)
      made.set(event, { manifest, tags })
      return push(manifest, [...tags, ...does.tags.map((tag) => tagName(cast, tag))])
    }
    const manifest = cast.manifests[does.what % cast.manifests.length]
    if (manifest === undefined) return undefined
    const { digest } = manifest.descriptor
    const names = Array.from(held.tags().keys())
    const name = names[does.what % names.length]
    switch (does.kind) {
      case "tag":
        return push(manifest, [tagName(cast, does.tag)])
      case "push again":
        return push(manifest, [])
      case "lock":
        return held.digests().has(digest) ? lock(digest, true) : undefined
      case "unlock":
        return lock(digest, false)
      case "lock tag":
        // Whether a registry deletes a referrer with a locked tag along with its subject is not known.
        return name === undefined ? undefined : lock(name, true, !isReferrer(held.tags().get(name)))
      case "delete":
        return take(`deleted ${nameOf(digest)}`, digest, held.target.deleteManifest(digest))
      case "untag":
        return name === undefined ? undefined : take(`untagged ${nameOf(name)}`, name, held.target.deleteTag(name))
    }
  }

  /** Others do what is due and touches nothing that is in the middle of a deletion. */
  const others = (isForced: boolean): Effect.Effect<void> =>
    Effect.gen(function* () {
      for (;;) {
        const [next] = waiting
        if (next === undefined || (sinceLast < next.after && !isForced)) return
        const deed = deedOf(next)
        if (deed !== undefined && isOpen(deed.touched)) return
        waiting = waiting.slice(1)
        sinceLast = 0
        if (deed === undefined) continue
        isDisturbed = true
        held.now = DateTime.add(held.now, { milliseconds: 1 })
        // What others do may mean that something is needed no more.
        lost.push(...missing())
        yield* deed.run
        story.push(`    others: ${deed.text}`)
      }
    })

  /** A request, with what others do before it and what goes wrong with it. */
  const send = <A>(
    { name, subject }: Request,
    effect: Effect.Effect<A, RegistryError>,
    opens?: () => ReadonlyArray<string>
  ): Effect.Effect<A, RegistryError> =>
    Effect.withFiber((fiber) =>
      Effect.gen(function* () {
        const isWithin = name === "deleteManifest" || name === "deleteTag" || name === "unlock" || name === "relock"
        if (!isWithin) windows.delete(fiber)
        count++
        sinceLast++
        held.now = DateTime.add(held.now, { milliseconds: 1 })
        const isHit = run.fault !== undefined && run.fault.at === count
        const kind = isHit ? run.fault?.kind : undefined
        if (run.yields && count % 3 === 0) yield* Effect.yieldNow
        yield* others(false)
        if (kind === "interrupted before") {
          story.push("    the run is interrupted")
          run.interrupt()
          yield* Effect.yieldNow
        }
        const key = `${name} ${subject}`
        // The look at a tag may be two requests at once, each by a fibre of its own.
        const by = name === "tag" || name === "deleteTag" ? subject : fiber
        story.push(`${fiber.id} ${name} ${nameOf(subject)}`)
        requests.push({ name, subject, fiber: fiber.id })
        if (kind === "unavailable" || kind === "forbidden") {
          story.push(`    ${kind}`)
          if (kind === "forbidden") forbidden = name
          if (name === "relock") isRefused.add(subject)
          windows.delete(by)
          return yield* failure(kind)
        }
        if (opens !== undefined) windows.set(by, new Set(opens()))
        const answer = yield* effect
        if (name === "deleteManifest" || name === "deleteTag") windows.delete(by)
        if (kind === "answer lost") {
          story.push("    the answer is lost")
          if (name === "unlock") isRefused.add(subject)
          return yield* failure(kind)
        }
        if (kind === "interrupted after") {
          story.push("    the run is interrupted")
          run.interrupt()
          yield* Effect.yieldNow
        }
        if (name === "deleteManifest" || name === "deleteTag") acknowledged.add(key)
        return answer
      })
    )

  const { listing } = held.target
  const target: RetentionTarget = {
    ...held.target,
    now: send({ name: "now", subject: "" }, held.target.now),
    contents: send({ name: "contents", subject: "" }, held.target.contents),
    tags: Stream.unwrap(send({ name: "tags", subject: "" }, Effect.succeed(held.target.tags))),
    listing:
      listing._tag === "Tagged"
        ? listing
        : {
            _tag: "Everything",
            manifests: Stream.unwrap(send({ name: "manifests", subject: "" }, Effect.succeed(listing.manifests)))
          },
    manifest: (digest) => send({ name: "manifest", subject: digest }, held.target.manifest(digest)),
    tag: (name) => send({ name: "tag", subject: name }, held.target.tag(name), () => [name, attachedBy(name)]),
    look: (digests, since) =>
      send({ name: "look", subject: digests[0] }, held.target.look(digests, since), () => [
        ...digests,
        ...Array.from(held.tags()).flatMap(([name, digest]) => (digests.includes(digest) ? [name] : []))
      ]),
    deleteTag: (name) => send({ name: "deleteTag", subject: name }, held.target.deleteTag(name)),
    deleteManifest: (digest) => send({ name: "deleteManifest", subject: digest }, held.target.deleteManifest(digest)),
    unlock: (what) =>
      Effect.map(send({ name: "unlock", subject: what }, held.target.unlock(what)), ({ relock }) => ({
        relock: send({ name: "relock", subject: what }, relock)
      }))
  }

  return {
    target,
    story,
    requests,
    acknowledged,
    begin: (next) => {
      run = next
      waiting = [...waiting, ...next.events]
      count = 0
      sinceLast = 0
      windows.clear()
    },
    finish: Effect.suspend(() => {
      windows.clear()
      return others(true)
    }),
    require: (plan) =>
      Effect.sync(() => {
        const isThere = held.digests()
        const tags = held.tags()
        const kept = plan.manifests.filter(({ digest, verdict }) => verdict === "keep" && isThere.has(digest))
        const digests = kept.map(({ digest }) => String(digest))
        required = [
          ...required.filter(({ isSeen }) => !isSeen),
          { because: "the plan keeps it", roots: digests, withSubjects: false, things: new Set(digests), isSeen: false }
        ]
        lost.length = 0
        for (const [name, { isSeen }] of requiredTags) if (isSeen) requiredTags.delete(name)
        for (const { digest, isLocked } of plan.manifests) if (isLocked) mayUnlock.add(digest)
        for (const { isLocked, name } of plan.tags) if (isLocked) mayUnlock.add(name)
        for (const one of mayUnlock) locked.delete(one)
        for (const { digest, name, verdict } of plan.tags) {
          if (verdict !== "keep" || tags.get(name) !== digest) continue
          const because = `the plan keeps the tag ${nameOf(name)}`
          requiredTags.set(name, { digest, because, isSeen: false })
          requireAll([digest], { because, isSeen: false, withSubjects: false })
        }
      }),
    missing,
    isDisturbed: () => isDisturbed,
    forbidden: () => forbidden,
    isRefused,
    nameOf
  }
}
