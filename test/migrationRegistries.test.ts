/**
 * A migration from the emulator to distribution v3, which has no lists of Azure Container Registry, and back.
 */
import * as Credentials from "@effect-acr/client/Credentials"
import * as Registries from "@effect-acr/client/Registries"
import { AcrEmulator } from "@effect-acr/emulator"
import * as Migration from "@effect-acr/migration/Migration"
import * as MigrationReport from "@effect-acr/migration/MigrationReport"
import * as MigrationRules from "@effect-acr/migration/MigrationRules"
import * as SqliteClient from "@effect-acr/migration/SqliteClient"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Docker from "./support/dockerRegistry.ts"

const adminUser = { username: "contoso", password: Redacted.make("a-password") }

const distribution = Docker.layer({ version: "3", access: "anonymous", relativeUrls: false, plainHttp: true })

/** Moves a registry, and returns how many artifacts were looked at one by one. */
const move = (name: string, from: string, to: string) =>
  Effect.gen(function* () {
    const routes = [{ from: { registry: from }, to: { registry: to } }]
    const rules = yield* MigrationRules.parse(JSON.stringify({ routes }))
    const events = yield* Stream.runCollect(Migration.run(name, rules))
    assert.isTrue(MigrationReport.isComplete(yield* Migration.status(name)))
    return events.filter(({ _tag }) => _tag === "ArtifactDone").length
  })

it.live.skipIf(!Docker.isThere("3"))("goes to distribution v3 and back, with a delta of nothing between", () =>
  Effect.gen(function* () {
    const docker = yield* Docker.DockerRegistry
    const source = yield* AcrEmulator.make({ adminUser, blobs: "direct" })
    const target = yield* AcrEmulator.make({ adminUser, blobs: "direct" })
    const emulators = [source, target]
    yield* Effect.forEach(
      [
        { repository: "shop/api", tags: ["1.0"], platforms: ["linux/amd64", "linux/arm64"], layers: ["base", "api"] },
        { repository: "shop/api", tags: ["1.1", "latest"], layers: ["base", "api 1.1"] },
        {
          repository: "shop/web",
          tags: ["2.0"],
          layers: ["base"],
          referrers: [{ artifactType: "application/spdx+json" }]
        }
      ],
      source.seed
    )
    const services = Layer.mergeAll(
      Registries.layerOptions({
        registries: Object.fromEntries(
          [...emulators, docker].map(({ endpoint, loginServer }) => [loginServer, { endpoint }])
        )
      }).pipe(
        Layer.provide([
          Credentials.layerPassword(adminUser).pipe(
            Credentials.onlyFor(emulators.map(({ loginServer }) => loginServer)),
            Credentials.orElse(Credentials.layerAnonymous)
          ),
          NodeRegistryHttpClient.layer
        ])
      ),
      NodeServices.layer,
      SqliteClient.layer({ filename: ":memory:" })
    )
    yield* Effect.gen(function* () {
      assert.isAtLeast(yield* move("out", source.loginServer, docker.loginServer), 3)
      assert.strictEqual(yield* move("out", source.loginServer, docker.loginServer), 0)
      yield* move("back", docker.loginServer, target.loginServer)
    }).pipe(Effect.provide(services))
    for (const { contents } of emulators) {
      const names = yield* Effect.forEach(["shop/api", "shop/web"], contents)
      assert.deepEqual(
        names
          .flatMap((found) => (found._tag === "Some" ? found.value.tags.map(({ name }) => name) : []))
          .filter((name) => !name.startsWith("sha256-")),
        ["1.0", "1.1", "latest", "2.0"]
      )
    }
  }).pipe(Effect.provide(distribution), Effect.scoped)
)
