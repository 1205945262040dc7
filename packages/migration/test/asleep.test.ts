/**
 * A process that works alone on a machine that sleeps for longer than its lock is valid.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { rehearse } from "./support/rehearsal.ts"

const images = 40

/** Copies take so long that both processes have copied something before the end. */
const rehearsal = {
  images,
  repositories: 8,
  layerBytes: 20_000,
  limits: { batch: 3, copies: 2, bytesInFlight: 1_048_576 },
  roundTripMillis: 30
}

describe("a process whose machine sleeps", () => {
  it.live("spoils nothing when it wakes up while another one does its work", () =>
    Effect.gen(function* () {
      const { broken, end, startAlone } = yield* rehearse(rehearsal)
      const sleeping = yield* startAlone
      yield* sleeping.until(/^artifact/m)
      sleeping.child.kill("SIGSTOP")
      const other = yield* startAlone
      yield* other.until(/^artifact/m)
      sleeping.child.kill("SIGCONT")
      const printed = yield* Effect.forEach([sleeping, other], ({ ended }) => ended, { concurrency: 2 })
      assert.match(printed.join("\n"), /^done$/m)
      assert.deepEqual(yield* broken, [])
      const { neededBytes, sentBytes, ...state } = yield* end
      assert.deepEqual(state, { isComplete: true, differences: [], artifacts: images })
      assert.isAtMost(sentBytes, neededBytes + 2 * rehearsal.limits.bytesInFlight)
    }).pipe(Effect.scoped)
  )
})
