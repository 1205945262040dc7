/**
 * Azure's published client for Python, azure-containerregistry, against the emulator as a command: all of its operations,
 * over TLS, with the certificate that the command writes.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { azureClients, isThere } from "./support/azureClients.ts"
import { expected, largeSize, operationsOf } from "./support/azureOperations.ts"

const client = azureClients.python

describe("the Azure SDK for Python", () => {
  it.live.runIf(isThere(client))("does everything that it can do", () =>
    Effect.gen(function* () {
      const operations = yield* operationsOf(client)
      const repository = "clients/python"
      const common = yield* expected(operations, repository, ["alpine", "busybox", repository, "nginx"])
      assert.deepStrictEqual(operations, {
        ...common,
        "size of the upload": largeSize,
        "manifest by tag": common.manifest.digest,
        "deletion of a missing blob": "no error"
      })
    })
  )
})
