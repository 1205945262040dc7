/**
 * Copies the artifacts of a batch, and records the outcome of each.
 */
import type { ContentStore, Reader } from "@effect-acr/artifacts/ContentStore"
import type * as Copy from "@effect-acr/artifacts/Copy"
import * as CopyError from "@effect-acr/artifacts/CopyError"
import * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as Referrer from "@effect-acr/client/Referrer"
import * as Arr from "effect/Array"
import * as Cache from "effect/Cache"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import { MigrationError } from "../MigrationError.ts"
import type { Route, Rules } from "../MigrationRules.ts"
import { copyArtifact } from "./artifact.ts"
import * as Carriers from "./carriers.ts"
import { classify, isDenied, isDiskFull, loginRefused, messageOf } from "./failures.ts"
import * as Inventories from "./inventory.ts"
import * as LeftOut from "./leftOut.ts"
import { nestedNames } from "./names.ts"
import * as Outages from "./outages.ts"
import { onceFailed, patiently } from "./patience.ts"
import type { PlaceError, Places } from "./places.ts"
import type { Repository, Run, Settled, Store, Task } from "./store/store.ts"

export interface Copying {
  readonly store: Store
  readonly places: Places
  readonly rules: Rules
  readonly run: Run
  readonly onSettled: (copied: ReadonlyArray<Copied>) => Effect.Effect<void>
  readonly onRetry: (failed: FailedAttempt) => Effect.Effect<void>
}

/** An artifact whose copy failed, and is tried again. */
interface FailedAttempt {
  readonly repository: Repository
  readonly digest: Digest.Digest
  readonly detail: string
}

/** An artifact with its outcome. */
export interface Copied {
  readonly repository: Repository
  readonly digest: Digest.Digest
  readonly settled: Settled
  /** The duration of its copy, with retries and without the wait for its turn. */
  readonly millis: number
}

const defaultCopies = 8

/** The number of artifacts whose results are written together. After a kill, that many are checked at the target again. */
const groupSize = 50

/** Retries of an artifact, on top of the client's own retries of requests. */
const retries = Schedule.exponential("1 second").pipe(Schedule.jittered, Schedule.upTo({ times: 3 }))

/**
 * The minimum number of groups that are copied concurrently. Repositories with one artifact each need as many groups as copies.
 * All groups share the limit of copies.
 */
const groupsAtOnce = 8

/** The number of repositories whose parts of indexes are kept: more than are copied at once. */
const mostParts = 256

type Fault = PlaceError | MigrationError | Copy.Fault

type CopyFailure = CopyError.CopyError<Fault>

/** A source that resolves a digest by reading the manifest, once, which the copy needs anyway. */
export const reading = <E>(source: Reader<E>): Reader<E> => {
  const read = new Map<string, Manifest.Raw>()
  return {
    ...source,
    resolve: (tagOrDigest) =>
      Effect.suspend(() => {
        if (!Digest.isDigest(tagOrDigest)) return source.resolve(tagOrDigest)
        const known = read.get(tagOrDigest)
        if (known !== undefined) return Effect.succeedSome(known.descriptor)
        return Effect.map(
          source.manifest({ digest: tagOrDigest }),
          Option.map((raw) => {
            read.set(tagOrDigest, raw)
            return raw.descriptor
          })
        )
      }),
    manifest: (manifest) =>
      Effect.suspend(() => {
        const raw = read.get(manifest.digest)
        if (raw === undefined) return source.manifest(manifest)
        read.delete(manifest.digest)
        return Effect.succeedSome(raw)
      })
  }
}

/**
 * Why an untagged manifest is skipped, if it is: the rules do not select untagged manifests, its subject is not copied, and no index
 * of the target has lost it.
 */
const reasonToSkip = (
  rules: Rules,
  parts: Effect.Effect<ReadonlySet<Digest.Digest>, PlaceError>,
  source: Reader<PlaceError>,
  target: Pick<ContentStore<PlaceError | MigrationError>, "keeps">,
  { digest, tags }: Task
): Effect.Effect<Pick<Settled, "class" | "detail"> | undefined, CopyFailure> =>
  Effect.gen(function* () {
    if (tags.length > 0 || rules.untagged === true) return undefined
    const raw = yield* Effect.mapError(source.manifest({ digest }), CopyError.at("source")<Fault>)
    if (Option.isNone(raw)) return undefined
    const referrer = Referrer.fromManifest(raw.value)
    if (Option.isNone(referrer)) {
      if ((yield* Effect.mapError(parts, CopyError.at("target")<Fault>)).has(digest)) return undefined
      return { class: "untagged", detail: "it has no tag, and nothing that was copied needs it" }
    }
    const { subject } = referrer.value
    if (yield* Effect.mapError(target.keeps({ digest: subject }), CopyError.at("target")<Fault>)) return undefined
    return { class: "orphan", detail: `it has no tag, and its subject ${subject} is not at the target` }
  })

const settledOf = ({ digest, id }: Task, { nodes, root, tags }: Copy.Report, { onTag }: Rules): Settled => {
  const kept = tags.flatMap(({ outcome, tag }) => (outcome === "kept" ? [tag] : []))
  // Without a rule that keeps tags, a copy keeps only these.
  const what = onTag === "keep" ? "" : "lists of referrers "
  const foreign = nodes.filter(({ reason }) => reason === "foreign").length
  // Nothing is sent if the target keeps its own manifests under all tags.
  const isLeftOut = nodes.length === 0 && kept.length > 0
  const isPresent =
    nodes.every(({ outcome }) => outcome === "present") &&
    tags.every(({ outcome }) => outcome === "unchanged" || outcome === "kept")
  return {
    id,
    state: kept.length > 0 && onTag !== "keep" ? "failed" : isLeftOut ? "skipped" : isPresent ? "present" : "copied",
    sent: nodes.reduce((sum, { kind, outcome, size }) => (kind === "blob" && outcome === "sent" ? sum + size : sum), 0),
    ...(root === digest ? {} : { root }),
    ...(foreign === 0
      ? {}
      : { class: "foreign", detail: `${foreign} layers may not be distributed, and are not copied` }),
    ...(kept.length === 0 ? {} : { class: "exists", detail: `the target keeps its own ${what}${kept.join(", ")}` })
  }
}

/** An error of the run itself, not of the artifact: a failed database, a full disk, or a refused login. */
const ofRun = ({ from, to }: Route, error: CopyFailure): MigrationError | undefined => {
  if (error.cause instanceof MigrationError) return error.cause
  if (error.side === "target" && isDiskFull(error.cause)) {
    return new MigrationError({
      problem: "PlaceFailed",
      description: `the disk of the target is full: ${messageOf(error)}`
    })
  }
  return isDenied(error.cause) ? loginRefused(error.side, error.side === "source" ? from : to, error.cause) : undefined
}

/** Makes the copier of a pass. All batches of a process share its limits. */
export const make = Effect.fnUntraced(function* (copying: Copying) {
  const { onRetry, onSettled, places, rules, run, store } = copying
  const carriers = yield* Carriers.make(copying)
  const copiesAtOnce = rules.limits?.copies ?? defaultCopies
  const copies = yield* Semaphore.make(copiesAtOnce)
  const beginnings = yield* Semaphore.make(1)
  const outages = Outages.make()
  const repositories = new Map((yield* store.repositories(run.id)).map((repository) => [repository.id, repository]))

  const nested = nestedNames(Array.from(repositories.values(), ({ target }) => target))

  const isSparse = rules.platforms !== undefined && rules.index === "sparse"
  /** What the indexes of a target repository name, read once. Sparse indexes lack some of it by the rules. */
  const parts = yield* Cache.makeWith(
    (id: number): Effect.Effect<ReadonlySet<Digest.Digest>, PlaceError> => {
      const repository = repositories.get(id)
      const route = repository === undefined ? undefined : rules.routes[repository.route]
      return repository === undefined || route === undefined || isSparse
        ? Effect.succeed(new Set())
        : Effect.flatMap(places.target(route.to, repository.target), Inventories.partsOf)
    },
    {
      capacity: mostParts,
      timeToLive: (exit) => (Exit.isSuccess(exit) ? Duration.infinity : Duration.zero)
    }
  )

  const copyOne = (
    repository: Repository,
    route: Route,
    source: Reader<PlaceError>,
    target: ContentStore<PlaceError | MigrationError>,
    task: Task
  ): Effect.Effect<Settled, MigrationError> => {
    const mayPass = (error: CopyFailure): boolean => error.isRetryable && ofRun(route, error) === undefined
    return Effect.gen(function* () {
      let leftOut = 0
      const from = LeftOut.countingReferrers(reading(source), (count) => {
        leftOut += count
      })
      const skipping = yield* reasonToSkip(rules, Cache.get(parts, task.repository), from, target, task)
      if (skipping !== undefined) {
        return { id: task.id, state: "skipped", ...skipping } as const
      }
      const settled = settledOf(task, yield* copyArtifact(from, target, task, rules), rules)
      if (leftOut === 0) return settled
      const detail = LeftOut.detailOf(leftOut, "the lists of its referrers")
      return { ...settled, state: "failed", class: "leftOut", detail } as const
    }).pipe(
      onceFailed((copy) =>
        Effect.retry(patiently(copy), {
          schedule: retries.pipe(
            Schedule.setInputType<CopyFailure>(),
            // The schedule also decides before `while` does.
            Schedule.tap(({ input }) =>
              mayPass(input) ? onRetry({ repository, digest: task.digest, detail: messageOf(input) }) : Effect.void
            )
          ),
          while: mayPass
        })
      ),
      Effect.catch((error) => {
        const stopping = ofRun(route, error)
        return stopping === undefined ? Effect.succeed({ id: task.id, ...classify(error) }) : Effect.fail(stopping)
      })
    )
  }

  /**
   * Copies artifacts concurrently. A fiber starts only when it is the artifact's turn: thousands of waiting fibers would cost
   * more than the copies. All artifacts of a group begin before those of the next group, so that a kill leaves few groups half
   * done.
   */
  const inTurn = (tasks: ReadonlyArray<Task>, copyTask: (task: Task) => Effect.Effect<void, MigrationError>) =>
    Effect.gen(function* () {
      const fibers = yield* FiberSet.make<void, MigrationError>()
      const begin = (task: Task) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.andThen(
            restore(copies.take(1)),
            FiberSet.run(fibers, Effect.ensuring(restore(copyTask(task)), copies.release(1)))
          )
        )
      const beginAll = beginnings.withPermit(Effect.forEach(tasks, begin, { discard: true }))
      yield* Effect.raceFirst(Effect.andThen(beginAll, FiberSet.awaitEmpty(fibers)), FiberSet.join(fibers))
    }).pipe(Effect.scoped)

  /** Copies artifacts of one repository, and records their outcomes once the target has stored them. */
  const copyGroup = (tasks: Arr.NonEmptyReadonlyArray<Task>): Effect.Effect<void, MigrationError> =>
    Effect.gen(function* () {
      const [{ repository: id }] = tasks
      const repository = repositories.get(id)
      const route = repository === undefined ? undefined : rules.routes[repository.route]
      if (repository === undefined || route === undefined) return
      const opened = yield* Effect.result(
        Effect.andThen(
          places.begin(route.to, repository.target, nested(repository.target)),
          Effect.all([places.source(route.from, repository.source), places.target(route.to, repository.target)])
        )
      )
      if (Result.isFailure(opened)) {
        const detail = `${repository.target} cannot be opened: ${messageOf(opened.failure)}`
        if (isDiskFull(opened.failure))
          return yield* new MigrationError({ problem: "PlaceFailed", description: detail })
        const failed = tasks.map(({ digest, id: task }): Copied => {
          const settled = { id: task, state: "failed", class: "other", detail } as const
          return { repository, digest, settled, millis: 0 }
        })
        yield* store.settle(
          failed.map(({ settled }) => settled),
          []
        )
        return yield* onSettled(failed)
      }
      const [{ store: source }, to] = opened.success
      const target = carriers.targetOf(to, repository, repositories)
      const copied: Array<Copied> = []
      const copyTask = (task: Task): Effect.Effect<void, MigrationError> =>
        Effect.flatMap(Effect.timed(copyOne(repository, route, source, target, task)), ([duration, settled]) => {
          copied.push({ repository, digest: task.digest, settled, millis: Duration.toMillis(duration) })
          return outages.note(id, settled.class === "transient" ? settled.detail : undefined)
        })
      const settleTask = (task: Task): Effect.Effect<void, MigrationError> =>
        Effect.suspend(() => {
          const detail = outages.reasonToSkip(id)
          if (detail === undefined) return copyTask(task)
          const settled = { id: task.id, state: "failed", class: "transient", detail, isUntried: true } as const
          return Effect.sync(() => copied.push({ repository, digest: task.digest, settled, millis: 0 }))
        })
      yield* inTurn(tasks, settleTask).pipe(
        target.batch,
        Effect.mapError((error) =>
          error instanceof MigrationError
            ? error
            : new MigrationError({
                problem: "PlaceFailed",
                description: `${repository.target} cannot be written: ${messageOf(error)}`
              })
        )
      )
      const { forget, rows } = carriers.take()
      yield* store.settle(
        copied.map(({ settled }) => settled),
        rows
      )
      forget()
      yield* onSettled(copied)
    })

  /** Copies the rest of a batch, and returns the number of artifacts. A failed artifact does not fail the batch. */
  return (batch: number): Effect.Effect<number, MigrationError> =>
    Effect.gen(function* () {
      const tasks = yield* store.tasks(batch)
      const groups = Object.values(Arr.groupBy(tasks, ({ repository }) => String(repository))).flatMap((group) =>
        Arr.chunksOf(group, groupSize)
      )
      yield* Effect.forEach(groups, copyGroup, { concurrency: Math.max(groupsAtOnce, copiesAtOnce), discard: true })
      return tasks.length
    })
})
