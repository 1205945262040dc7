/**
 * The time of an artifact.
 */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Artifact from "../src/Artifact.ts"
import { ArtifactError } from "../src/ArtifactError.ts"
import { layer as platform } from "./support/dockerArchives.ts"

layer(platform)("the time of an artifact", (it) => {
  it.effect("is refused if it is not a valid date", () =>
    Effect.gen(function* () {
      const packing = Artifact.pack({ artifactType: "application/vnd.contoso.note", created: new Date("next week") })
      const error = yield* Effect.flip(packing)
      assert.isTrue(error instanceof ArtifactError && error.reason._tag === "InvalidArtifact", String(error))
      assert.include(error.message, "created")
    })
  )
})
