/**
 * A migration in a process that is killed at random.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { randoms } from "./support/process.ts"
import { rehearse } from "./support/rehearsal.ts"

const kills = 10

const images = 72

/** Round trips make the whole take longer than there are kills: a copy takes ten requests or more. */
const rehearsal = {
  images,
  repositories: 9,
  layerBytes: 100_000,
  limits: { batch: 20, copies: 4, bytesInFlight: 1_048_576 },
  roundTripMillis: 40
}

const longestLife = 450

describe("a migration in a process", () => {
  it.live(
    "ends as if it had not been killed, ten times at random, tags nothing that is not whole, and sends little twice",
    () =>
      Effect.gen(function* () {
        const { broken, end, startAlone } = yield* rehearse(rehearsal)
        const random = randoms(20_261_128)
        for (let time = 0; time < kills; time++) {
          const { child, ended, until } = yield* startAlone
          yield* until(/^began/m)
          yield* Effect.sleep(random() * longestLife)
          assert.isNull(child.exitCode, "it has ended before it is killed")
          child.kill("SIGKILL")
          yield* ended
          assert.deepEqual(yield* broken, [])
        }
        assert.match(yield* (yield* startAlone).ended, /^done$/m)
        const { neededBytes, sentBytes, ...state } = yield* end
        assert.deepEqual(state, { isComplete: true, differences: [], artifacts: images })
        assert.isAtLeast(sentBytes, neededBytes)
        assert.isAtMost(sentBytes, neededBytes + kills * rehearsal.limits.bytesInFlight)
      }).pipe(Effect.scoped),
    300_000
  )
})
