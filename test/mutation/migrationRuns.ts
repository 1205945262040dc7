/**
 * Faults in what a run remembers between processes, and in who may go on with it.
 */
import type { Fault } from "./fault.ts"

const access = "packages/migration/src/internal/store/access.ts"
const broken = "packages/migration/src/internal/store/broken.ts"
const transactions = "packages/migration/src/internal/store/transactions.ts"
const artifacts = "packages/migration/src/internal/store/artifacts.ts"
const batches = "packages/migration/src/internal/store/batches.ts"
const driver = "packages/migration/src/internal/driver.ts"
const driving = "packages/migration/src/internal/cluster/driving.ts"
const runs = "packages/migration/src/internal/store/runs.ts"
const sample = "packages/migration/src/internal/sample.ts"
const storage = "packages/migration/src/internal/cluster/storage.ts"
const tables = "packages/migration/src/internal/store/tables.ts"
const turn = "packages/migration/src/internal/cluster/turn.ts"

export const migrationRuns: ReadonlyArray<Fault> = [
  {
    wrong: "a run waits for a database that hangs although it is interrupted",
    file: broken,
    find: 'yield* Deferred.fail(broken, new MigrationError({ problem: "StoreFailed", description }))',
    replace: "yield* Effect.void"
  },
  {
    wrong: "COMMIT passes as done that has rolled back",
    file: transactions,
    find: 'result.command === "ROLLBACK"',
    replace: 'result.command === "ABORT"'
  },
  {
    wrong: "a deadlock is not tried again",
    file: access,
    find: "times: mostDeadlocks,",
    replace: "times: 0 * mostDeadlocks,"
  },
  {
    wrong: "a process that hung advances a run that another one has taken further",
    file: runs,
    find: "          WHERE id = ${id} AND attempt = ${attempt} AND pass = ${pass} AND phase = ${phase}`\n      )",
    replace: "          WHERE id = ${id}`\n      )"
  },
  {
    wrong: "the number of shards stays after the end of a run",
    file: runs,
    find: '...(change.phase === "done" ? { shards: null } : {})',
    replace: '...(change.phase === "done" ? {} : {})'
  },
  {
    wrong: "each process divides the work into its own number of shards",
    file: runs,
    find: "WHERE id = ${id} AND shards IS NULL`",
    replace: "WHERE id = ${id}`"
  },
  {
    wrong: "the tables of a newer version are used",
    file: tables,
    find: "if (version <= newest) return version > 0",
    replace: "if (version <= newest + 100) return version > 0"
  },
  {
    wrong: "what a batch has copied before a kill is copied again",
    file: batches,
    find: "const which = sql`p.batch = ${batch} AND a.state = ${planned}`",
    replace: "const which = sql`p.batch = ${batch} AND a.state >= ${planned}`"
  },
  {
    wrong: "a batch of other repositories has artifacts between its own",
    file: batches,
    find: "BETWEEN p.first AND p.last AND +a.repository = p.repository`",
    replace: "BETWEEN p.first AND p.last AND +a.repository >= 0`"
  },
  {
    wrong: "a batch that another process repeats is repeated again",
    file: batches,
    find: "WHERE id = ${id} AND attempt = ${attempt}`",
    replace: "WHERE id = ${id}`"
  },
  {
    wrong: "batches of repositories with a problem are made",
    file: batches,
    find: "(r.problem IS NULL OR r.problem = 'leftOut') AND",
    replace: "(r.problem IS NULL OR r.problem <> '') AND"
  },
  {
    wrong: "a repository whose list lacks records is not copied",
    file: batches,
    find: "OR r.problem = 'leftOut')",
    replace: "OR r.problem = '')"
  },
  {
    wrong: "what failed becomes verified with the rest",
    file: artifacts,
    find: 'AND state = ${whole(numberOf("copied"))} AND ${sql.in("digest", chunk)}`',
    replace: 'AND state >= ${whole(numberOf("copied"))} AND ${sql.in("digest", chunk)}`'
  },
  {
    wrong: "an artifact that was not tried counts an attempt",
    file: artifacts,
    find: "attempts = attempts + ${whole(outcome.isUntried === true ? 0 : 1)}",
    replace: "attempts = attempts + ${whole(1)}"
  },
  {
    wrong: "an artifact keeps the tags that it had before",
    file: artifacts,
    find: "retagged.flatMap(({ id, isKnown }) => (isKnown ? [id] : []))",
    replace: "retagged.flatMap(({ id, isKnown }) => (isKnown ? [-id] : []))"
  },
  {
    wrong: "an artifact that is planned again keeps why it failed",
    file: artifacts,
    find: 'sql.literal(remarked.includes(state) ? "" : ", class = NULL, detail = NULL")',
    replace: 'sql.literal(remarked.includes(state) ? "" : "")'
  },
  {
    wrong: "the oldest artifacts are copied first",
    file: artifacts,
    find: "(other.changed ?? 0) - (one.changed ?? 0)",
    replace: "(one.changed ?? 0) - (other.changed ?? 0)"
  },
  {
    wrong: "the list of a killed process is made again after another one has made it",
    file: driver,
    find: 'if (run.phase !== "inventory" || run.pass !== pass || run.attempt !== attempt) return 0',
    replace: 'if (run.phase !== "inventory" && run.pass !== pass && run.attempt !== attempt) return 0'
  },
  {
    wrong: "the name of a run whose rules select nothing stays taken",
    file: driver,
    find: 'problem === "NothingSelected" ? store.during(',
    replace: 'problem === "NewerStore" ? store.during('
  },
  {
    wrong: "limits are those of the first process",
    file: driver,
    find: '...Struct.pick(own, ["limits", "verify"])',
    replace: '...Struct.pick(stored, ["limits", "verify"])'
  },
  {
    wrong: "a failure that is final for its key is not tried again in the next call",
    file: driver,
    find: 'Effect.tapError(({ problem }) => (problem === "Interrupted" ? Effect.void : store.repeatBatches(run)))',
    replace: 'Effect.tapError(({ problem }) => (problem === "Interrupted" ? store.repeatBatches(run) : Effect.void))'
  },
  {
    wrong: "a list of the previous call passes as that of this one",
    file: driver,
    find: "yield* store.advance(begun, { attempt: begun.attempt + 1 })",
    replace: "yield* store.advance(begun, { attempt: begun.attempt })"
  },
  {
    wrong: "a run passes forever over a target that loses what it confirms",
    file: driver,
    find: "const isLast = pass >= last",
    replace: "const isLast = pass >= last + 1000"
  },
  {
    wrong: "a process that loses its shard ends the run of the others",
    file: driving,
    find: "Cause.hasInterrupts(cause) ? Effect.void : Deferred.failCause(ended, cause)",
    replace: "Cause.hasInterrupts(cause) && cause.reasons.length < 0 ? Effect.void : Deferred.failCause(ended, cause)"
  },
  {
    wrong: "a process that works alone begins beside those that share the run",
    file: turn,
    find: "addresses.every(({ port }) => port !== noPort)",
    replace: "addresses.every(({ port }) => port >= noPort)"
  },
  {
    wrong: "a second process waits forever for the first one",
    file: turn,
    find: "if ((yield* Clock.currentTimeMillis) > end) {",
    replace: "if ((yield* Clock.currentTimeMillis) > end * 2) {"
  },
  {
    wrong: "a lock from before the clock was set back lasts",
    file: turn,
    find: "yield* removeFutureLocks(options)",
    replace: "if (options.run < 0) yield* removeFutureLocks(options)"
  },
  {
    wrong: "a database that refuses all answers keeps a run waiting",
    file: storage,
    find: "return failures < mostFailures ? Effect.void",
    replace: "return failures < mostFailures * 1_000_000 ? Effect.void"
  },
  {
    wrong: "an answer that another process has written ends the run",
    file: storage,
    find: "failures = isThere(error) ? 0 : failures + 1",
    replace: "failures = isThere(error) ? failures + 1 : failures + 1"
  },
  {
    wrong: "what was read back and is damaged passes as verified",
    file: sample,
    find: 'const isDamaged = outcome === "damaged" ||',
    replace: 'const isDamaged = outcome === "repaired" ||'
  },
  {
    wrong: "an artifact that was damaged and is whole is not looked at again",
    file: sample,
    find: 'if (found.outcome === "whole" && !doubted.wasDamaged) return',
    replace: 'if (found.outcome === "whole" && digest !== undefined) return'
  }
]
