/**
 * The paths with a template, which names their spans.
 */
import { assert, describe, it } from "@effect/vitest"
import { templateOf } from "../src/internal/http/template.ts"

const digest = `sha256:${"a".repeat(64)}`

const known: ReadonlyArray<readonly [string, string]> = [
  ["/v2/", "/v2/"],
  ["/v2/alpine/tags/list", "/v2/{name}/tags/list"],
  ["/v2/library/alpine/manifests/3.20", "/v2/{name}/manifests/{reference}"],
  [`/v2/library/alpine/manifests/${digest}`, "/v2/{name}/manifests/{reference}"],
  [`/v2/library/alpine/blobs/${digest}`, "/v2/{name}/blobs/{digest}"],
  ["/v2/library/alpine/blobs/uploads/", "/v2/{name}/blobs/uploads/"],
  ["/v2/library/alpine/blobs/uploads/7d2f", "/v2/{name}/blobs/uploads/{reference}"],
  [`/v2/library/alpine/referrers/${digest}`, "/v2/{name}/referrers/{digest}"],
  ["/v2/manifests/blobs/uploads/", "/v2/{name}/blobs/uploads/"],
  ["/acr/v1/_catalog", "/acr/v1/_catalog"],
  ["/acr/v1/library%2Falpine", "/acr/v1/{name}"],
  ["/acr/v1/alpine/_tags", "/acr/v1/{name}/_tags"],
  ["/acr/v1/alpine/_tags/3.20", "/acr/v1/{name}/_tags/{reference}"],
  ["/acr/v1/alpine/_manifests", "/acr/v1/{name}/_manifests"],
  [`/acr/v1/alpine/_manifests/${digest}`, "/acr/v1/{name}/_manifests/{digest}"],
  ["/acr/v1/_deleted/_catalog", "/acr/v1/_deleted/_catalog"],
  ["/acr/v1/_deleted/library%2Falpine/_tags", "/acr/v1/_deleted/{name}/_tags"],
  ["/acr/v1/_deleted/alpine/_manifests", "/acr/v1/_deleted/{name}/_manifests"],
  [`/acr/v1/_deleted/alpine/_manifests/${digest}`, "/acr/v1/_deleted/{name}/_manifests/{digest}"],
  ["/oauth2/token", "/oauth2/token"],
  ["/oauth2/exchange", "/oauth2/exchange"]
]

const unknown = [
  "",
  "/",
  "/v2",
  "/v2/alpine",
  "/v2/alpine/blobs/",
  "/sessions/7d2f",
  "/token",
  "/acr/v1/alpine/_policy"
]

describe("a path", () => {
  for (const [path, template] of known) {
    it(`${path} is one of ${template}`, () => {
      assert.strictEqual(templateOf(path), template)
    })
  }

  for (const path of unknown) {
    it(`"${path}" has none`, () => {
      assert.isUndefined(templateOf(path))
    })
  }

  // With a pattern that reads it again from each of its slashes, this would time out.
  it("of any length that a registry chooses has none", () => {
    for (const part of ["/blobs", "/blobs/uploads", "/manifests", "/acr/v1", "/_deleted", "/_tags", "/"]) {
      assert.isUndefined(templateOf(`/v2${part.repeat(200_000)}/x/y/`))
      assert.isUndefined(templateOf(`/acr/v1${part.repeat(200_000)}/x/y`))
    }
  })
})
