/**
 * Writes the version of the client where requests take it from: a part of `npx -y pnpm@12 release:version`.
 */
import { readFile, writeFile } from "node:fs/promises"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const PackageJson = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

const client = new URL("../../packages/client/", import.meta.url)
const target = new URL("src/internal/http/version.ts", client)

NodeRuntime.runMain(
  Effect.gen(function* () {
    const text = yield* Effect.promise(() => readFile(new URL("package.json", client), "utf8"))
    const { version } = yield* Schema.decodeEffect(PackageJson)(text)
    const source = yield* Effect.promise(() => readFile(target, "utf8"))
    yield* Effect.promise(() => writeFile(target, source.replace(/"[^"]*"$/m, JSON.stringify(version))))
  })
)
