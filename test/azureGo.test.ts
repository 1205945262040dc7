/**
 * Azure's published client for Go, azcontainerregistry, against the emulator as a command: all of its operations,
 * over TLS, with the certificate that the command writes.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { azureClients, isThere } from "./support/azureClients.ts"
import { expected, largeDigest, largeSize, operationsOf } from "./support/azureOperations.ts"

const client = azureClients.go

describe("the Azure SDK for Go", () => {
  it.live.runIf(isThere(client))("does everything that it can do", () =>
    Effect.gen(function* () {
      const operations = yield* operationsOf(client)
      const repository = "clients/go"
      const common = yield* expected(operations, repository, [
        "alpine",
        "busybox",
        repository,
        `${repository}/mounted`,
        "nginx"
      ])
      const manifest = {
        ...common.manifest,
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        config: "application/vnd.oci.image.config.v1+json"
      }
      assert.deepStrictEqual(operations, {
        ...common,
        manifest,
        "check blob": largeSize,
        // A HEAD has no ranges (RFC 9110, section 14.2).
        "check chunk": largeSize,
        download: largeDigest,
        "last byte": `bytes ${largeSize - 1}-${largeSize - 1}/${largeSize}`,
        mount: largeDigest,
        mounted: largeSize,
        "upload status": "0-0",
        "status of a cancelled upload": "404 BLOB_UPLOAD_UNKNOWN",
        // The client of blobs, unlike the others, does not take a 404 for what was wanted.
        "deletion of a missing blob": "404 BLOB_UNKNOWN"
      })
    })
  )
})
