/**
 * The packages as they are published: packed, installed outside the workspace, imported.
 */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { run } from "./support/command.ts"
import { install, names, packageFolder } from "./support/packed.ts"

const PackageJson = Schema.fromJsonString(
  Schema.Struct({
    exports: Schema.Record(Schema.String, Schema.NullOr(Schema.String)),
    dependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
  })
)

it.live("packed packages import outside the workspace", () =>
  Effect.gen(function* () {
    const home = yield* install
    for (const name of names) {
      const text = yield* Effect.promise(() => readFile(join(packageFolder(home, name), "package.json"), "utf8"))
      const { dependencies = {}, exports } = yield* Schema.decodeEffect(PackageJson)(text)
      assert.match(exports["."] ?? "", /^\.\/dist\//)
      for (const range of Object.values(dependencies)) assert.notMatch(range, /^workspace:/)
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
