/**
 * Azure's published client for Python, azure-containerregistry, against the emulator: all of its operations, over TLS.
 */
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { azureClients, isThere, operationsOf } from "./support/azureClients.ts"
import { expected, largeSize, seeded } from "./support/azureExpected.ts"

const client = azureClients.python

describe("the Azure SDK for Python", () => {
  it.live.runIf(isThere(client))("does everything that it can do", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.AcrEmulator
      yield* Effect.forEach(seeded, (repository) => emulator.seed({ repository, tags: ["v1"] }))
      assert.strictEqual((yield* emulator.modes).blobs, "redirect")
      const operations = yield* operationsOf(client, emulator)
      const repository = "clients/python"
      const common = yield* expected(operations, repository, ["alpine", "busybox", repository, "nginx"])
      assert.deepStrictEqual(operations, {
        ...common,
        "size of the upload": largeSize,
        "manifest by tag": common.manifest.digest,
        "deletion of a missing blob": "no error"
      })
    }).pipe(Effect.provide(AcrEmulator.layer({ https: true })))
  )
})
