/**
 * Every parser of external input, on ten thousand texts that are almost valid.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Headers from "effect/http/Headers"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Digest from "../src/Digest.ts"
import * as ImageConfig from "../src/ImageConfig.ts"
import * as Challenge from "../src/internal/http/challenge.ts"
import * as Jwt from "../src/internal/auth/jwt.ts"
import { claimsOf, fromChallenges } from "../src/internal/auth/scheme.ts"
import * as Scope from "../src/internal/auth/scope.ts"
import { manifestType } from "../src/internal/api/manifestType.ts"
import { digested } from "../src/internal/content/signed.ts"
import { globalOrigin } from "../src/internal/acr/hosts.ts"
import { parseEndpoint } from "../src/internal/http/endpoint.ts"
import { parseBody } from "../src/internal/http/failure.ts"
import { nextPage } from "../src/internal/http/link.ts"
import { atRegistry, follow } from "../src/internal/http/origin.ts"
import { inQuery } from "../src/internal/http/secrets.ts"
import { parseWarnings } from "../src/internal/http/warning.ts"
import { readExtent } from "../src/internal/transfer/download.ts"
import * as Manifest from "../src/Manifest.ts"
import * as MediaType from "../src/MediaType.ts"
import { reachOf } from "../src/Outbound.ts"
import * as Reference from "../src/Reference.ts"
import * as RepositoryName from "../src/RepositoryName.ts"
import * as Tag from "../src/Tag.ts"
import { Edited, parses, runs, textOf } from "./support/fuzz.ts"

const registry = "https://myregistry.azurecr.io"
const sha = `sha256:${"0123456789abcdef".repeat(4)}`
const claims = btoa(JSON.stringify({ access_token: { nbf: { essential: true, value: "1" } } }))

describe("headers", () => {
  const challenges = [
    `Bearer realm="${registry}/oauth2/token",service="myregistry.azurecr.io",scope="repository:a:pull,push registry:catalog:*"`,
    `Bearer realm="${registry}/oauth2/token",service="s",error="insufficient_scope", Basic realm="a \\"b\\""`,
    `Bearer realm="", authorization_uri="https://login.microsoftonline.com/", error="insufficient_claims", claims="${claims}"`
  ]
  parses("WWW-Authenticate", challenges, (text) => {
    const read = Challenge.parse(text)
    claimsOf(read)
    return fromChallenges(read, registry, [])
  })
  parses(
    "Link",
    ['</acr/v1/_catalog?last=a&n=1&orderby=>; rel="next"', '<https://a/b>; rel=prev, </c>; title="x,y"; rel="next"'],
    nextPage
  )
  parses(
    "Warning",
    ['299 - "deprecated"', '299 - "a \\"b\\"", 110 - "c", 299 agent "d" "Tue, 24 Nov 2026"'],
    parseWarnings
  )
  parses("Retry-After", ["120", "Tue, 24 Nov 2026 10:00:00 GMT", "0.5"], Headers.parseRetryAfter)
  parses("Content-Range", ["bytes 0-99/100", "bytes 8-15/*", "bytes */100"], (text) => {
    // As a platform would pass it on.
    const value = text.replace(/[^\t\x20-\x7e]/g, "")
    const response = new Response(null, { status: 206, headers: { "content-range": value } })
    return readExtent(HttpClientResponse.fromWeb(HttpClientRequest.get(registry), response))
  })
})

describe("names", () => {
  parses(
    "references",
    [`myregistry.azurecr.io/library/alpine:3.20@${sha}`, "localhost:5000/a/b:c", "[::1]:5000/a"],
    Reference.parse
  )
  parses("repositories", ["library/alpine", "a__b/c-d.e"], RepositoryName.parse)
  parses("tags", ["latest", "v1.2.3-rc_1"], Tag.parse)
  parses("digests", [sha, `sha512:${"ab".repeat(64)}`], Digest.parse)
  parses("media types", ["application/vnd.oci.image.manifest.v1+json", "text/plain; charset=utf-8"], MediaType.parse)
  parses("scopes", ["repository:a/b:pull,push registry:catalog:*", "repository:*:*"], (text) => {
    const normal = Scope.normalise(Scope.fromChallenge(text))
    return [Scope.covers(normal, normal), normal.map(Scope.isWildcard)]
  })

  it.prop(
    "a scope is covered by itself, and normalization is idempotent",
    [Edited],
    ([edited]) => {
      const scopes = Scope.fromChallenge(textOf(["repository:a/b:pull,push registry:catalog:*", "a:b:c d:e:f"], edited))
      const normal = Scope.normalise(scopes)
      assert.deepStrictEqual(Scope.normalise(normal), normal)
      assert.isTrue(Scope.covers(normal, normal))
    },
    runs(2000)
  )

  it.prop(
    "a reference that is read is written as it was",
    [Edited],
    ([edited]) => {
      const read = Reference.parse(textOf([`myregistry.azurecr.io/library/alpine:3.20@${sha}`, "a.b/c:d"], edited))
      if (Result.isFailure(read)) return
      const again = Reference.parse(Reference.format(read.success))
      assert.deepStrictEqual(again, read)
    },
    runs(2000)
  )
})

describe("addresses", () => {
  const addresses = [
    registry,
    "myregistry",
    "http://127.0.0.1:5000",
    "myregistry.westeurope.data.azurecr.io",
    "https://[::1]:8443"
  ]
  parses("endpoints", addresses, (text) => {
    const read = parseEndpoint(text)
    if (Result.isSuccess(read)) {
      assert.match(read.success.origin, /^https?:\/\//)
      assert.isFalse(read.success.protocol === "http:" && reachOf(read.success.hostname) !== "loopback")
    }
    return globalOrigin(text)
  })
  parses(
    "locations",
    ["/v2/a/blobs/uploads/1?_state=a%2Fb", "https://storage.example/a?sig=b%3D", "//other/a", "1?x"],
    (text) => {
      inQuery(text)
      follow(text, atRegistry(registry, "/v2/"), "page")
      const followed = follow(text, atRegistry(registry, "/v2/"), "session")
      // A request line is one line.
      if (Result.isSuccess(followed)) assert.match(followed.success.path, /^[!-~\u0080-\uffff]*$/)
      return followed
    }
  )
  parses("addresses", ["127.0.0.1", "[::ffff:10.0.0.1]", "fe80::1%eth0", "2001:db8::1"], reachOf)
})

describe("documents", () => {
  const descriptor = { mediaType: "application/octet-stream", digest: sha, size: 7, annotations: { "org.a": "b" } }
  const image = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptor,
    layers: [descriptor, { ...descriptor, urls: ["https://a"], data: "YQ==" }],
    subject: descriptor
  }
  const index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [{ ...descriptor, platform: { architecture: "amd64", os: "linux", "os.features": ["a"] } }]
  }
  for (const manifest of [image, index]) {
    const mediaType = MediaType.MediaType.make(manifest.mediaType)
    parses(manifest.mediaType, [JSON.stringify(manifest)], (text) => Manifest.parse(mediaType, text))
  }
  parses(
    "signed manifests",
    [
      `{"schemaVersion":1,"name":"a","signatures":[{"protected":"${Buffer.from('{"formatLength":29,"formatTail":"fQ"}').toString("base64url")}"}]}`
    ],
    (text) => {
      const bytes = new TextEncoder().encode(text)
      const [part] = digested(manifestType(undefined, bytes), bytes)
      // Only signatures are removed.
      assert.isTrue(part === bytes || text.startsWith(new TextDecoder().decode(part.subarray(0, -1))))
    }
  )
  parses(
    "configurations of images",
    [
      JSON.stringify({
        architecture: "amd64",
        os: "linux",
        rootfs: { type: "layers", diff_ids: [sha] },
        history: [{ created: "2026-01-01T00:00:00Z" }]
      })
    ],
    ImageConfig.parse
  )
  parses(
    "errors",
    [
      JSON.stringify({
        errors: [{ code: "UNAUTHORIZED", message: "a", detail: [{ Type: "repository", Name: "a" }] }, { code: "B" }]
      })
    ],
    parseBody
  )
  parses(
    "tokens",
    [
      [
        "e30",
        Buffer.from(JSON.stringify({ exp: 2, iat: 1, nbf: 1, aad_identity: "a" })).toString("base64url"),
        "c2ln"
      ].join(".")
    ],
    (text) => {
      const lifetime = Jwt.lifetimeMillis(text, 0)
      assert.isTrue(Option.isNone(lifetime) || (Number.isFinite(lifetime.value) && lifetime.value >= 0))
      return [Jwt.expiryMillis(text), Jwt.isAttributeBased(text)]
    }
  )
})
