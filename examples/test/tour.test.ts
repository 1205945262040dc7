/**
 * The tour as a newcomer sees it: by itself, on a terminal, and on an old Node.
 */
import { readFile } from "node:fs/promises"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"

const read = (path: string) => Effect.promise(() => readFile(new URL(`../../${path}`, import.meta.url), "utf8"))

const decodePackage = Schema.decodeEffect(Schema.fromJsonString(Schema.Struct({ version: Schema.String })))

describe("the workspace", () => {
  it.effect("tells pnpm which Node it brings, so that pnpm warns of no other", () =>
    Effect.gen(function* () {
      const settings = yield* read("pnpm-workspace.yaml")
      const { version } = yield* decodePackage(yield* read("node_modules/node/package.json"))
      assert.include(settings.split("\n"), `nodeVersion: ${version}`)
    })
  )
})
