/**
 * A process that works alone on a machine that sleeps for longer than its lock is valid.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { assertWhole, rehearse, slowRehearsal } from "./support/rehearsal.ts"

describe("a process whose machine sleeps", () => {
  it.live("spoils nothing when it wakes up while another one does its work", () =>
    Effect.gen(function* () {
      const { broken, end, startAlone } = yield* rehearse(slowRehearsal)
      const sleeping = yield* startAlone
      yield* sleeping.until(/^artifact/m)
      sleeping.child.kill("SIGSTOP")
      const other = yield* startAlone
      yield* other.until(/^artifact/m)
      sleeping.child.kill("SIGCONT")
      const printed = yield* Effect.forEach([sleeping, other], ({ ended }) => ended, { concurrency: 2 })
      assert.match(printed.join("\n"), /^done$/m)
      assert.deepEqual(yield* broken, [])
      assertWhole(yield* end, 1)
    }).pipe(Effect.scoped)
  )
})
