/**
 * The packages as they are published: packed, installed outside the workspace, imported.
 */
import { mkdir, readdir, readFile, symlink } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { run, temporaryFolder } from "./support/command.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

const PackageJson = Schema.fromJsonString(
  Schema.Struct({
    exports: Schema.Record(Schema.String, Schema.NullOr(Schema.String)),
    dependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
  })
)

const names = ["client", "node", "azure-identity", "emulator"] as const

it.live("packed packages import outside the workspace", () =>
  Effect.gen(function* () {
    const home = yield* temporaryFolder
    yield* run(join(root, "node_modules/.bin/tsc"), ["--build", "tsconfig.build.json"], { cwd: root })

    const scope = join(home, "node_modules/@effect-acr")
    for (const name of names) {
      yield* run("npx", ["-y", "pnpm@12", "pack", "--pack-destination", home], { cwd: join(root, "packages", name) })
      const [archive = ""] = yield* Effect.promise(async () =>
        (await readdir(home)).filter((file) => file.startsWith(`effect-acr-${name}-`))
      )
      yield* Effect.promise(() => mkdir(join(scope, name), { recursive: true }))
      yield* run("tar", ["-xzf", join(home, archive), "--strip-components=1", "-C", join(scope, name)])
      const text = yield* Effect.promise(() => readFile(join(scope, name, "package.json"), "utf8"))
      const { dependencies = {}, exports } = yield* Schema.decodeEffect(PackageJson)(text)
      assert.match(exports["."] ?? "", /^\.\/dist\//)
      for (const range of Object.values(dependencies)) assert.notMatch(range, /^workspace:/)
    }

    // What is not ours comes from the workspace's own store: this test is about our packages.
    for (const [user, dependency] of [
      ["emulator", "effect"],
      ["emulator", "@effect/platform-node"],
      ["emulator", "selfsigned"],
      ["client", "@noble/hashes"],
      ["azure-identity", "@azure/identity"],
      ["azure-identity", "@azure/core-rest-pipeline"]
    ] as const) {
      const target = join(root, "packages", user, "node_modules", dependency)
      const link = join(home, "node_modules", dependency)
      yield* Effect.promise(() => mkdir(dirname(link), { recursive: true }))
      yield* Effect.promise(() => symlink(target, link))
    }

    const script = `
      import { ContainerRegistry, Digest } from "@effect-acr/client"
      import * as Tag from "@effect-acr/client/Tag"
      import { NodeRegistryHttpClient } from "@effect-acr/node"
      import { AzureCloud, AzureCredentials } from "@effect-acr/azure-identity"
      import { AcrEmulator } from "@effect-acr/emulator"
      import { Effect, Layer, Stream } from "effect"
      const Live = AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer()))
      const names = await Effect.runPromise(Effect.gen(function* () {
        yield* (yield* AcrEmulator.AcrEmulator).seed({ repository: "library/alpine" })
        return yield* Stream.runCollect((yield* ContainerRegistry.ContainerRegistry).repositories())
      }).pipe(Effect.provide(Live)))
      const hidden = await import("@effect-acr/client/internal/tokens").then(() => "open", () => "closed")
      console.log(JSON.stringify([names, hidden, typeof Digest.parse, typeof Tag.parse, typeof NodeRegistryHttpClient.layer, AzureCloud.china.name, typeof AzureCredentials.layerDefault]))
    `
    const printed = yield* run(process.execPath, ["--input-type=module", "--eval", script], { cwd: home })
    assert.strictEqual(
      printed.trim(),
      '[["library/alpine"],"closed","function","function","object","AzureChinaCloud","object"]'
    )
  })
)
