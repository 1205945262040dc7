/**
 * The output is the same in each language of the user: scripts read it.
 */
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, layer } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { onTerminal, start } from "./support/command.ts"

const emulator = AcrEmulator.layer({
  seed: [
    {
      repository: "shop/api",
      tags: ["v1", "zurich"],
      layers: [{ sizeInBytes: 1_234_567 }],
      pushedAt: DateTime.makeUnsafe("2026-03-01T00:00:00Z")
    }
  ]
})

const calls = [
  ["ls", "-l", "$REGISTRY/shop/api"],
  ["du", "$REGISTRY/shop/api"],
  ["show", "$REGISTRY/shop/api:v1"]
]

const locales = ["C", "de_DE.UTF-8", "ja_JP.UTF-8"]

layer(emulator, { excludeTestServices: true })("the language of the user", (it) => {
  for (const call of calls) {
    it.effect(
      `does not change what ${call[0]} prints`,
      () =>
        Effect.gen(function* () {
          const outputs = yield* Effect.forEach(locales, (locale) =>
            Effect.gen(function* () {
              const env = { LC_ALL: locale, LANG: locale, LANGUAGE: locale }
              const piped = yield* start(call, { env })
              assert.strictEqual(yield* piped.ended, 0, piped.stderr())
              const shown = yield* onTerminal(call, { columns: 400, env })
              assert.strictEqual(yield* shown.ended, 0)
              return [piped.stdout(), shown.shown()]
            })
          )
          for (const output of outputs) assert.deepStrictEqual(output, outputs[0])
          assert.match(outputs[0]?.[1] ?? "", /1\.2 MiB/)
        }).pipe(Effect.scoped),
      120_000
    )
  }
})
