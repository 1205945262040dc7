/**
 * Two emulated registries, and migrations between them.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import type * as SeedImage from "@effect-acr/emulator/SeedImage"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
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
  options: { readonly source?: AcrEmulator.Options; readonly target?: AcrEmulator.Options } = {}
) {
  const source = yield* AcrEmulator.make({ blobs: "direct", ...options.source, adminUser })
  const target = yield* AcrEmulator.make({ blobs: "direct", ...options.target, adminUser })
  const folder = yield* temporary
  const filename = join(folder, "migration.sqlite")
  const route = { from: { registry: source.loginServer }, to: { registry: target.loginServer } }
  const services = Layer.mergeAll(registriesOf(source, target), NodeServices.layer, SqliteClient.layer({ filename }))
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
