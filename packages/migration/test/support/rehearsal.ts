/**
 * A migration that processes do, and what must be so at its end, whatever happened to them.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import { freePort } from "../../../../test/support/freePort.ts"
import * as Postgres from "../../../../test/support/postgres.ts"
import * as Migration from "../../src/Migration.ts"
import * as MigrationReport from "../../src/MigrationReport.ts"
import type { Rules } from "../../src/MigrationRules.ts"
import * as SqliteClient from "../../src/SqliteClient.ts"
import type { Order } from "./migrate.ts"
import { slowly, start } from "./process.ts"
import { blobBytes, brokenTags, makeWorld, sentBytes, tagsOf } from "./world.ts"

export interface Rehearsal {
  readonly images: number
  /** How many repositories they are in. */
  readonly repositories: number
  /** The bytes of each layer. An image has one of its own, and one that all have. */
  readonly layerBytes: number
  readonly limits: NonNullable<Rules["limits"]> & { readonly bytesInFlight: number }
  /** What a round trip to a registry takes. */
  readonly roundTripMillis: number
  /** The URL of PostgreSQL. Defaults to SQLite. */
  readonly url?: string
}

/** Copies take so long that several processes have copied something before the end. */
export const slowRehearsal = {
  images: 40,
  repositories: 8,
  layerBytes: 20_000,
  limits: { batch: 3, copies: 2, bytesInFlight: 1_048_576 },
  roundTripMillis: 30
}

/** Each third image is an index. */
const imagesOf = ({ images, layerBytes, repositories }: Rehearsal) =>
  Array.from({ length: images }, (_, index) => ({
    repository: `shop/service-${index % repositories}`,
    tags: [`1.${index}`],
    ...(index % 3 === 0 ? { platforms: ["linux/amd64", "linux/arm64"] } : {}),
    layers: [{ content: "base ".repeat(layerBytes / 5) }, { content: `own ${index} `.padEnd(layerBytes, "x") }]
  }))

/** The content at the end. */
export interface End {
  readonly isComplete: boolean
  /** Tags that only one of the registries has, or that name something else there. */
  readonly differences: ReadonlyArray<string>
  /** Artifacts with tags that the report has as copied, each once. */
  readonly artifacts: number
  readonly neededBytes: number
  readonly sentBytes: number
}

/** Asserts that a slow rehearsal ended as one that nothing has disturbed. */
export const assertWhole = ({ neededBytes, sentBytes, ...state }: End, disturbances = 0) => {
  assert.deepEqual(state, { isComplete: true, differences: [], artifacts: slowRehearsal.images })
  // Each process may send a blob that another one is sending.
  assert.isAtMost(sentBytes, neededBytes + (1 + disturbances) * slowRehearsal.limits.bytesInFlight)
}

/** Two registries and a database, and processes that migrate from one to the other. */
export const rehearse = Effect.fnUntraced(function* (rehearsal: Rehearsal) {
  const { limits, roundTripMillis, url } = rehearsal
  const { decode, filename, seed, services, source, target } = yield* makeWorld({
    target: { journalSize: 10_000_000 }
  })
  yield* seed(...imagesOf(rehearsal))
  const client: Layer.Layer<SqlClient.SqlClient, SqlError> =
    url === undefined ? SqliteClient.layer({ filename }) : Postgres.client(url)
  const order: Order = {
    database: url === undefined ? { filename } : { url },
    rules: yield* decode({ limits }),
    emulators: yield* slowly(roundTripMillis, source, target),
    lockSeconds: 3
  }
  const end: Effect.Effect<End, unknown> = Effect.gen(function* () {
    const [one, other] = [yield* tagsOf(source), yield* tagsOf(target)]
    const outcomes = (yield* Stream.runCollect(Migration.report("test"))).filter(
      ({ state, tags }) => tags.length > 0 && (state === "verified" || state === "present")
    )
    return {
      isComplete: MigrationReport.isComplete(yield* Migration.status("test")),
      differences: [
        ...one.filter((tag) => !other.includes(tag)),
        ...other.filter((tag) => !one.includes(tag)),
        ...(yield* brokenTags(target))
      ],
      artifacts: new Set(outcomes.map(({ digest, source: name }) => `${name} ${digest}`)).size,
      neededBytes: yield* blobBytes(source),
      sentBytes: yield* sentBytes(target)
    }
  }).pipe(Effect.provide(Layer.merge(services, client)))
  return {
    target,
    /** Starts a process that works alone. */
    startAlone: start(order),
    /** Starts a process that shares the work with others. */
    startTogether: (more: Partial<Order> = {}) =>
      Effect.flatMap(freePort, (port) => start({ ...order, runner: { host: "127.0.0.1", port }, ...more })),
    /** The tags of the target that name something that is not whole. */
    broken: Effect.provide(brokenTags(target), services),
    /** What each artifact of the report was. */
    outcomes: Effect.provide(Stream.runCollect(Migration.report("test")), client),
    end
  }
})

/** The artifacts that a process has copied, as it printed them. */
export const artifactsOf = (printed: string): ReadonlyArray<string> =>
  Array.from(printed.matchAll(/^artifact (\S+ \S+)/gm), ([, artifact]) => artifact ?? "")
