/**
 * A hostile or a broken registry, on the wire: an answer, no more bytes than need be, and nothing left behind.
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
          // Its connections are closed, also those of which it would have liked to say more.
          while (registry.open() > 0) yield* Effect.sleep("5 millis")
          for (const { body, target } of registry.asked) {
            assert.notInclude(target + body, Redacted.value(password.password))
          }
        })
      )
    }
  })
}
