/**
 * Hostile and broken registries over real connections: the result, a limit of bytes, and no open connection afterwards.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { groups, password } from "./hostile/rows.ts"

for (const [name, rows] of groups) {
  describe(`${name}: a registry that`, () => {
    for (const { does, mostBytes, outcome, run } of rows) {
      it.live(does, () =>
        Effect.gen(function* () {
          const { outcome: actual, registry } = yield* run
          assert.strictEqual(actual, outcome)
          assert.isAtMost(registry.sentBytes(), mostBytes ?? 1024 * 1024)
          // The client has closed its connections, also those on which the registry had more to send.
          while (registry.open() > 0) yield* Effect.sleep("5 millis")
          for (const { body, target } of registry.asked) {
            assert.notInclude(target + body, Redacted.value(password.password))
          }
        })
      )
    }
  })
}
