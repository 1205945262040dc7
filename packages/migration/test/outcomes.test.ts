/**
 * What the report says of an artifact whose copy failed, by what a registry answered.
 */
import type * as Fault from "@effect-acr/emulator/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as MigrationReport from "../src/MigrationReport.ts"
import { makeWorld } from "./support/world.ts"

const answer = (status: number, code: string): Fault.Consequence => ({
  _tag: "Answer",
  status,
  body: JSON.stringify({ errors: [{ code, message: "injected" }] })
})

type Sent = Pick<Fault.Fault, "method" | "path">

const reads: Sent = { path: /\/manifests\/sha256:/ }
const downloads: Sent = { method: "GET", path: /\/blobs\// }
const uploads: Sent = { method: "POST", path: /\/blobs\/uploads\// }
const writes: Sent = { method: "PUT", path: /\/manifests\// }

const gone = { state: "failed", class: "gone" } as const
const forbidden = { state: "failed", class: "forbidden" } as const
const content = { state: "failed", class: "content" } as const
const refused = { state: "refused", class: "refused" } as const

interface Case {
  readonly what: string
  readonly side: "source" | "target"
  readonly fault: Omit<Fault.Fault, "times">
  readonly platforms?: ReadonlyArray<string>
  readonly outcome: { readonly state: MigrationReport.State; readonly class: string }
}

const cases: ReadonlyArray<Case> = [
  {
    what: "of which a blob is gone",
    side: "source",
    fault: { ...downloads, consequence: answer(404, "BLOB_UNKNOWN") },
    outcome: gone
  },
  {
    what: "of which a platform is gone",
    side: "source",
    fault: { ...reads, skip: 1, consequence: answer(404, "MANIFEST_UNKNOWN") },
    platforms: ["linux/amd64", "linux/arm64"],
    outcome: gone
  },
  {
    what: "that must not be read",
    side: "source",
    fault: { ...downloads, consequence: answer(403, "DENIED") },
    outcome: forbidden
  },
  {
    what: "that the source refuses to send",
    side: "source",
    fault: { ...downloads, consequence: answer(405, "UNSUPPORTED") },
    outcome: { state: "failed", class: "other" }
  },
  {
    what: "with other bytes in a blob",
    side: "source",
    fault: { ...downloads, consequence: { _tag: "CorruptBody", atByte: 1 } },
    outcome: content
  },
  {
    what: "with other bytes in its manifest",
    side: "source",
    fault: { ...reads, consequence: { _tag: "CorruptBody", atByte: 1 } },
    outcome: content
  },
  {
    what: "that must not be written",
    side: "target",
    fault: { ...uploads, consequence: answer(403, "DENIED") },
    outcome: forbidden
  },
  {
    what: "with a manifest that the target refuses",
    side: "target",
    fault: { ...writes, consequence: answer(400, "MANIFEST_INVALID") },
    outcome: refused
  },
  {
    what: "that is too large for the target",
    side: "target",
    fault: { ...writes, consequence: answer(413, "TOO_LARGE") },
    outcome: refused
  },
  {
    what: "that is locked at the target",
    side: "target",
    fault: { ...writes, consequence: answer(405, "MANIFEST_LOCKED") },
    outcome: refused
  },
  {
    what: "of which the target lacks what it accepted",
    side: "target",
    fault: { ...writes, consequence: answer(400, "MANIFEST_BLOB_UNKNOWN") },
    outcome: refused
  }
]

describe("an artifact", () => {
  it.live.each(cases)("$what has failed with its class", ({ fault, outcome, platforms, side }) =>
    Effect.gen(function* () {
      const { report, run, seed, status, [side]: registry } = yield* makeWorld()
      const image = { repository: "shop/api", tags: ["1.0"], layers: ["a layer"] }
      yield* seed(platforms === undefined ? image : { ...image, platforms })
      yield* registry.inject({ ...fault, times: "always" })
      yield* run()
      assert.deepInclude(
        (yield* report).find(({ tags }) => tags.length > 0),
        outcome
      )
      assert.isFalse(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )

  it.live("that is gone when it is copied has vanished, and has failed if the source still lists it", () =>
    Effect.gen(function* () {
      const { report, run, seed, source, status } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      yield* source.inject({ ...reads, times: "always", consequence: answer(404, "MANIFEST_UNKNOWN") })
      const states = (yield* run()).flatMap((event) => (event._tag === "ArtifactDone" ? [event.state] : []))
      assert.strictEqual(states[0], "vanished")
      assert.deepInclude((yield* report)[0], gone)
      assert.isFalse(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )
})
