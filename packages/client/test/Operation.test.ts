/**
 * Paths and queries as they go over the wire.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import * as Operation from "../src/Operation.ts"

describe("withQuery", () => {
  it("appends a query and leaves out undefined parameters", () => {
    assert.strictEqual(Operation.withQuery("/v2/a/tags/list", { n: 2, last: undefined }), "/v2/a/tags/list?n=2")
    assert.strictEqual(Operation.withQuery("/v2/a/tags/list", { n: undefined }), "/v2/a/tags/list")
  })

  it("works at the end of a pipe as well", () => {
    assert.strictEqual(pipe("/v2/a/tags/list", Operation.withQuery({ n: 2 })), "/v2/a/tags/list?n=2")
  })

  it("appends to an existing query, which stays as written", () => {
    assert.strictEqual(
      Operation.withQuery("/v2/a/blobs/uploads/1?_state=a%2fb+c", { digest: "sha256:00" }),
      "/v2/a/blobs/uploads/1?_state=a%2fb+c&digest=sha256%3A00"
    )
  })
})

const defaults = (operation: Operation.Operation<void>) => {
  const { bucket, method, missing, repeat, scopes, success } = operation
  return [method, bucket, repeat, missing, scopes, success]
}

describe("an operation made by its method", () => {
  const parts = { name: "Example", decode: () => Effect.void }

  it("has the defaults of its method", () => {
    assert.deepStrictEqual(defaults(Operation.get("/a", parts)), ["GET", "read", "always", "endpoint", [], [200]])
    const done = [200, 201, 202, 204]
    assert.deepStrictEqual(defaults(Operation.put("/a", parts)), ["PUT", "write", "always", "endpoint", [], done])
    assert.deepStrictEqual(defaults(Operation.post("/a", parts)), [
      "POST",
      "write",
      "unprocessed",
      "endpoint",
      [],
      done
    ])
    assert.deepStrictEqual(defaults(Operation.del("/a", parts)), [
      "DELETE",
      "delete",
      "always",
      "endpoint",
      [],
      [200, 202, 204]
    ])
  })

  it("has the given parts instead", () => {
    const operation = Operation.get("/a", { ...parts, bucket: "referrers", success: [200, 404], missing: "manifest" })
    assert.deepStrictEqual(
      [operation.path, operation.bucket, operation.success, operation.missing, operation.repeat],
      ["/a", "referrers", [200, 404], "manifest", "always"]
    )
  })
})
