/**
 * What an error tells a program or a workflow: whether to retry, when, and the same after JSON serialization.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as RegistryError from "../src/RegistryError.ts"

const description = "no"
const missing = [{ type: "repository", name: "alpine", action: "pull" }]
const credential = { credential: "AzureCliCredential", description }

/** Every reason, in its variants, and whether the same operation may succeed later. */
const reasons: ReadonlyArray<readonly [string, RegistryError.Reason, boolean]> = [
  ["no login", new RegistryError.Unauthenticated({ description, missing }), false],
  ["no permission", new RegistryError.Forbidden({ description, missing }), false],
  ["nothing there", new RegistryError.NotFound({ description, resource: "tag" }), false],
  ["a lock", new RegistryError.Locked({ description, by: "lock" }), false],
  ["an immutable tag", new RegistryError.Locked({ description, by: "immutability" }), false],
  ["a registry without support for the request", new RegistryError.Unsupported({ description }), false],
  ["throttling", new RegistryError.Throttled({ description, retryAfter: Duration.seconds(17) }), true],
  ["throttling without a time", new RegistryError.Throttled({ description }), true],
  ["a fault of the registry", new RegistryError.Unavailable({ description, retryAfter: Duration.minutes(2) }), true],
  ["a refused connection", new RegistryError.Unavailable({ description, code: "ECONNREFUSED" }), true],
  [
    "a refused connection at the first contact",
    new RegistryError.Unavailable({ description, code: "ECONNREFUSED", firstContact: true }),
    true
  ],
  ["a reset", new RegistryError.Unavailable({ description, code: "ECONNRESET" }), true],
  ["a timeout", new RegistryError.Unavailable({ description, code: "TIMEOUT" }), true],
  ["a DNS resolver that does not answer", new RegistryError.Unavailable({ description, code: "EAI_AGAIN" }), true],
  ["an unknown host", new RegistryError.Unavailable({ description, code: "ENOTFOUND" }), false],
  [
    "a host that is unknown after earlier contact",
    new RegistryError.Unavailable({ description, code: "ENOTFOUND", firstContact: false }),
    true
  ],
  [
    "a certificate that has expired after earlier contact",
    new RegistryError.Unavailable({ description, code: "CERT_HAS_EXPIRED", firstContact: false }),
    false
  ],
  ["an expired certificate", new RegistryError.Unavailable({ description, code: "CERT_HAS_EXPIRED" }), false],
  [
    "another's certificate",
    new RegistryError.Unavailable({ description, code: "ERR_TLS_CERT_ALTNAME_INVALID" }),
    false
  ],
  [
    "no TLS",
    new RegistryError.Unavailable({ description, code: "ERR_SSL_WRONG_VERSION_NUMBER", problem: "WithoutTls" }),
    false
  ],
  ["no HTTP", new RegistryError.Unavailable({ description, code: "NOT_HTTP" }), false],
  ["an argument", new RegistryError.InvalidRequest({ description, argument: "tag", value: "-" }), false],
  ["a broken protocol", new RegistryError.InvalidResponse({ description }), false],
  ["other content", new RegistryError.ContentMismatch({ description, expected: "1", actual: "2" }), false],
  ["too much", new RegistryError.TooLarge({ description, limitBytes: 1 }), false],
  ["a refusal", new RegistryError.Refused({ description }), false],
  ["no credential", new RegistryError.CredentialUnavailable({ ...credential, problem: "NotConfigured" }), false],
  ["a credential that failed", new RegistryError.CredentialUnavailable({ ...credential, problem: "Failed" }), false],
  ["a slow credential", new RegistryError.CredentialUnavailable({ ...credential, problem: "TimedOut" }), true]
]

const errorOf = (reason: RegistryError.Reason) =>
  new RegistryError.RegistryError({
    operation: "ContainerRegistry.deleteTag",
    reason,
    request: { method: "DELETE", url: "https://myregistry.azurecr.io/", clientRequestId: "id" },
    response: { status: 400, errors: [{ code: "DENIED", message: "no", detail: [1, null, { a: "b" }] }] }
  })

const message = (fields: { readonly argument?: string; readonly value?: string }) =>
  new RegistryError.InvalidRequest({ description: "expected a tag", ...fields }).message

describe("an error", () => {
  it.each(reasons)("of %s says whether to retry", (_, reason, isRetryable) => {
    assert.strictEqual(reason.isRetryable, isRetryable)
    assert.strictEqual(errorOf(reason).isRetryable, isRetryable)
  })

  it("has the time that the registry asks to wait, also in the message", () => {
    const retryAfter = Duration.seconds(17)
    for (const Reason of [RegistryError.Throttled, RegistryError.Unavailable]) {
      const error = errorOf(new Reason({ description, retryAfter }))
      assert.deepStrictEqual(error.retryAfter, retryAfter)
      assert.include(error.message, "no; the registry asks to wait 17s")
      assert.isUndefined(errorOf(new Reason({ description })).retryAfter)
    }
    assert.isUndefined(errorOf(new RegistryError.Refused({ description })).retryAfter)
  })

  it.each(reasons)("of %s is the same after JSON serialization", (_, reason, isRetryable) => {
    const error = errorOf(reason)
    for (const schema of [RegistryError.RegistryError, Schema.toCodecJson(RegistryError.RegistryError)]) {
      const encoded: unknown = Schema.encodeUnknownSync(schema)(error)
      const written = JSON.stringify(encoded)
      // JSON can express all of it, so nothing gets lost.
      assert.deepStrictEqual(JSON.parse(written), encoded)
      const read = Schema.decodeUnknownSync(schema)(JSON.parse(written))
      assert.isTrue(RegistryError.isRegistryError(read))
      assert.deepStrictEqual(read.reason, reason)
      assert.strictEqual(read.message, error.message)
      assert.strictEqual(read.isRetryable, isRetryable)
      assert.deepStrictEqual(read.retryAfter, error.retryAfter)
    }
  })

  it("says which permission is missing", () => {
    const several = [...missing, { type: "repository", name: "alpine", action: "metadata_read" }]
    for (const Reason of [RegistryError.Unauthenticated, RegistryError.Forbidden]) {
      assert.strictEqual(
        new Reason({ description, missing: several }).message,
        "no (missing: pull on repository alpine, metadata_read on repository alpine)"
      )
      assert.strictEqual(new Reason({ description }).message, "no")
    }
  })

  it("names the refused argument and its value", () => {
    assert.strictEqual(message({ argument: "tag", value: "a b" }), 'tag "a b": expected a tag')
    assert.strictEqual(message({ argument: "tag" }), "tag: expected a tag")
    assert.strictEqual(message({}), "expected a tag")
  })
})
