/**
 * Writes the versions of the client and of the command where requests and `--version` take them from: a part of `npx -y pnpm@12 release:version`.
 */
import { readFile, writeFile } from "node:fs/promises"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const PackageJson = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

const packages = new URL("../../packages/", import.meta.url)

/** The packages with a version in their sources, and the files that have it. */
const targets = [
  { name: "client", file: "src/internal/http/version.ts" },
  { name: "cli", file: "src/version.ts" }
]

const write = Effect.fnUntraced(function* (name: string, file: string) {
  const home = new URL(`${name}/`, packages)
  const text = yield* Effect.promise(() => readFile(new URL("package.json", home), "utf8"))
  const { version } = yield* Schema.decodeEffect(PackageJson)(text)
  const target = new URL(file, home)
  const source = yield* Effect.promise(() => readFile(target, "utf8"))
  const written = source.replace(/^(export const version = )"[^"]*"$/m, `$1${JSON.stringify(version)}`)
  yield* Effect.promise(() => writeFile(target, written))
})

NodeRuntime.runMain(Effect.forEach(targets, ({ file, name }) => write(name, file)))
