/**
 * The kinds of databases that a run may be in.
 */
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { temporaryFolder } from "../../../../test/support/command.ts"
import * as Postgres from "../../../../test/support/postgres.ts"
import * as SqliteClient from "../../src/SqliteClient.ts"

/** Databases of one kind. */
export class Databases extends Context.Service<
  Databases,
  {
    /** A client of a database that is empty. */
    readonly empty: Effect.Effect<Layer.Layer<SqlClient.SqlClient, SqlError>, SqlError>
  }
>()("test/Databases") {}

/** A PostgreSQL. */
export class Server extends Context.Service<
  Server,
  {
    /** The URL of a database that is empty. */
    readonly next: Effect.Effect<string, SqlError>
  }
>()("test/Server") {}

const makeServer = Effect.gen(function* () {
  const url = yield* Postgres.start
  let count = 0
  const next = Effect.gen(function* () {
    const name = `test${count++}`
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE DATABASE ${sql(name)}`
    return url.replace(/postgres$/, name)
  }).pipe(Effect.provide(Postgres.client(url)))
  return Server.of({ next })
})

export const server = Layer.effect(Server, makeServer)

export const nextUrl = Effect.flatMap(Server, ({ next }) => next)

const sqlite = Layer.effect(
  Databases,
  Effect.map(temporaryFolder, (folder) => {
    let count = 0
    const empty = Effect.sync(() => SqliteClient.layer({ filename: join(folder, `${count++}.sqlite`) }))
    return Databases.of({ empty })
  })
)

const postgres = Layer.effect(
  Databases,
  Effect.map(makeServer, ({ next }) => Databases.of({ empty: Effect.map(next, Postgres.client) }))
)

/** Each kind, and whether this machine has it. */
export const kinds = [
  { name: "SQLite", databases: sqlite, isInstalled: true },
  { name: "PostgreSQL (skipped where it is not installed)", databases: postgres, isInstalled: Postgres.isInstalled() }
]

/** Runs an effect on a database of its own. */
export const onEmpty = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Databases, ({ empty }) => Effect.flatMap(empty, (client) => Effect.provide(effect, client)))
