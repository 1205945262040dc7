/**
 * PostgreSQL as processes of their own: a database that is empty, on a port of this machine, until the scope closes.
 */
import { execFileSync } from "node:child_process"
import { chown } from "node:fs/promises"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { run, service, temporaryFolder } from "./command.ts"
import { freePort } from "./freePort.ts"

/** Where Debian and Ubuntu have the programs of each version, which are not on the PATH. */
const versions = "/usr/lib/postgresql"

const folderOf = (): string | undefined =>
  existsSync(versions)
    ? readdirSync(versions)
        .map((version) => join(versions, version, "bin"))
        .findLast((folder) => existsSync(join(folder, "initdb")))
    : undefined

/** Whether PostgreSQL is installed. */
export const isInstalled = (): boolean => folderOf() !== undefined

/** PostgreSQL that ended before it answered. */
class NotStarted extends Data.TaggedError("NotStarted")<{ readonly stderr: string }> {
  override get message(): string {
    return `PostgreSQL ended: ${this.stderr}`
  }
}

/** The user to be: PostgreSQL refuses to be root. */
const owner = (): { readonly uid?: number; readonly gid?: number } =>
  process.getuid?.() === 0
    ? {
        uid: Number(execFileSync("id", ["-u", "postgres"], { encoding: "utf8" })),
        gid: Number(execFileSync("id", ["-g", "postgres"], { encoding: "utf8" }))
      }
    : {}

/** Starts PostgreSQL, and returns the URL of its database. */
export const start = Effect.gen(function* () {
  const programs = folderOf()
  if (programs === undefined) return yield* new NotStarted({ stderr: "it is not installed" })
  const folder = yield* temporaryFolder
  const user = owner()
  if (user.uid !== undefined && user.gid !== undefined) {
    const { gid, uid } = user
    yield* Effect.promise(() => chown(folder, uid, gid))
  }
  const data = join(folder, "data")
  yield* run(join(programs, "initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], {
    cwd: "/",
    ...user
  })
  const port = yield* freePort
  const { ended } = yield* service(
    join(programs, "postgres"),
    ["-D", data, "-h", "127.0.0.1", "-p", String(port), "-k", folder],
    // A fast shutdown: connections are ended, and nothing is waited for.
    { ...user, cwd: "/", stopBy: "SIGINT" }
  )
  const isReady = run(join(programs, "pg_isready"), ["-h", "127.0.0.1", "-p", String(port)]).pipe(
    Effect.retry(Schedule.spaced("50 millis"))
  )
  const failed = Effect.flatMap(
    Effect.promise(() => ended),
    (stderr) => new NotStarted({ stderr })
  )
  yield* Effect.raceFirst(isReady, failed)
  return `postgresql://postgres@127.0.0.1:${port}/postgres`
})

/** A client of the database at a URL. */
export const client = (url: string): Layer.Layer<SqlClient.SqlClient, SqlError> =>
  PgClient.layer({ url: Redacted.make(url) })
