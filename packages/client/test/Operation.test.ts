/**
 * Paths and queries as they go over the wire.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Operation from "../src/Operation.ts"

describe("withQuery", () => {
  it("appends a query and leaves out what is undefined", () => {
    assert.strictEqual(Operation.withQuery("/v2/a/tags/list", { n: 2, last: undefined }), "/v2/a/tags/list?n=2")
    assert.strictEqual(Operation.withQuery("/v2/a/tags/list", { n: undefined }), "/v2/a/tags/list")
  })

  it("goes on behind a query that is there, which stays as it is written", () => {
    assert.strictEqual(
      Operation.withQuery("/v2/a/blobs/uploads/1?_state=a%2fb+c", { digest: "sha256:00" }),
      "/v2/a/blobs/uploads/1?_state=a%2fb+c&digest=sha256%3A00"
    )
  })
})
