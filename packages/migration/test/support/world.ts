/**
 * Two emulated registries, and migrations between them.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Reader } from "@effect-acr/artifacts/ContentStore"
import * as Graph from "@effect-acr/artifacts/Graph"
import * as Repository from "@effect-acr/artifacts/Repository"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Registries from "@effect-acr/client/Registries"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import type * as SeedImage from "@effect-acr/emulator/SeedImage"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import * as Migration from "../../src/Migration.ts"
import * as MigrationRules from "../../src/MigrationRules.ts"
import * as SqliteClient from "../../src/SqliteClient.ts"
import { adminUser, registriesOf } from "./registries.ts"

const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "acr-migration-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

/** Two registries, until the scope closes. */
export const makeWorld = Effect.fnUntraced(function* (
  options: {
    readonly source?: AcrEmulator.Options
    readonly target?: AcrEmulator.Options
    /** Defaults to SQLite in a file. */
    readonly database?: Layer.Layer<SqlClient.SqlClient, SqlError>
  } = {}
) {
  const source = yield* AcrEmulator.make({ blobs: "direct", ...options.source, adminUser })
  const target = yield* AcrEmulator.make({ blobs: "direct", ...options.target, adminUser })
  const folder = yield* temporary
  const filename = join(folder, "migration.sqlite")
  const route = { from: { registry: source.loginServer }, to: { registry: target.loginServer } }
  const database = options.database ?? SqliteClient.layer({ filename })
  const services = Layer.mergeAll(registriesOf(source, target), NodeServices.layer, database)
  const decode = (rules: Record<string, unknown>) => MigrationRules.parse(JSON.stringify({ routes: [route], ...rules }))
  /** Runs a migration to its end, and returns what happened. */
  const run = (rules: Record<string, unknown> = {}, name = "test") =>
    Effect.flatMap(decode(rules), (decoded) => Stream.runCollect(Migration.run(name, decoded))).pipe(
      Effect.provide(services)
    )
  const status = Effect.provide(Migration.status("test"), services)
  const report = Effect.provide(Stream.runCollect(Migration.report("test")), services)
  const seed = (...images: ReadonlyArray<SeedImage.SeedImage>) => Effect.forEach(images, source.seed)
  return { source, target, folder, filename, route, services, decode, run, status, report, seed }
})

/** Makes a registry list only tags, as those do that are not Azure Container Registry. */
export const withoutLists = ({ inject }: AcrEmulator.Service) =>
  inject({
    path: "/acr/v1/",
    times: "always",
    consequence: { _tag: "Answer", status: 404, body: "404 page not found" }
  })

/** The tags of all repositories with what they name. */
export const tagsOf = ({ contents, repositories }: AcrEmulator.Service) =>
  Effect.gen(function* () {
    const tags: Array<string> = []
    for (const { name } of yield* repositories) {
      const found = Option.getOrThrow(yield* contents(name))
      for (const { digest, name: tag } of found.tags) tags.push(`${name}:${tag} ${digest}`)
    }
    return tags.toSorted()
  })

/** What the tags of a registry name: their blobs, or none if a manifest is missing. */
const graphsOf = ({ loginServer, repositories }: AcrEmulator.Service) =>
  Effect.gen(function* () {
    const graphs: Array<{
      readonly name: string
      readonly store: Reader<RegistryError>
      readonly blobs: ReadonlyArray<Descriptor> | undefined
    }> = []
    for (const { name } of yield* repositories) {
      const { content, reference } = yield* Registries.open(`${loginServer}/${name}`)
      const store = Repository.make(content, reference)
      for (const tag of yield* Stream.runCollect(store.tags)) {
        const root = Option.getOrThrow(yield* store.resolve(tag))
        const blobs = yield* Graph.read(store, root).pipe(
          Effect.map(Graph.blobs),
          Effect.catchTag("GraphError", () => Effect.undefined)
        )
        graphs.push({ name: `${name}:${tag}`, store, blobs })
      }
    }
    return graphs
  })

/** The tags of a registry that name something of which a manifest or a blob is missing. */
export const brokenTags = (registry: AcrEmulator.Service) =>
  Effect.gen(function* () {
    const broken: Array<string> = []
    for (const { blobs, name, store } of yield* graphsOf(registry)) {
      const isWhole = blobs !== undefined && (yield* Effect.forEach(blobs, store.has)).every((has) => has)
      if (!isWhole) broken.push(name)
    }
    return broken
  })

/** The bytes of all blobs that the tags of a registry name, each once. */
export const blobBytes = (registry: AcrEmulator.Service) =>
  Effect.map(graphsOf(registry), (graphs) => {
    const sizes = new Map(graphs.flatMap(({ blobs = [] }) => blobs.map(({ digest, size }) => [digest, size])))
    return Array.from(sizes.values()).reduce((sum, size) => sum + size, 0)
  })

/** The bytes of blobs that a registry was sent. */
export const sentBytes = ({ journal }: AcrEmulator.Service) =>
  Effect.map(journal, (entries) =>
    entries.filter(({ path }) => path.includes("/blobs/")).reduce((sum, { requestBytes }) => sum + requestBytes, 0)
  )
