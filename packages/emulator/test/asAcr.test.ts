/**
 * What Azure Container Registry answers, as recordings of Azure's own clients show it.
 *
 * Python and .NET: Azure/azure-sdk-assets, `python/sdk/containerregistry/azure-containerregistry/tests/recordings` and
 * `net/sdk/containerregistry/Azure.Containers.ContainerRegistry/tests/SessionRecords`. Go: Azure/azure-sdk-for-go,
 * `sdk/containers/azcontainerregistry/testdata/recordings`.
 */
import { createPublicKey, verify } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as HttpBody from "effect/http/HttpBody"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { ask, askAsAdmin, emulator, form, type Reply } from "./support/ask.ts"
import { digestOf, open, push, withDigest } from "./support/content.ts"
import { folder } from "./support/folder.ts"

const seed = (repository: string, ...tags: ReadonlyArray<string>) =>
  Effect.flatMap(AcrEmulator.AcrEmulator, (emulator) => emulator.seed({ repository, tags }))

/** The answer to a GET of the admin user, read as JSON. */
const json = Effect.fnUntraced(function* (path: string) {
  const body: unknown = JSON.parse((yield* askAsAdmin("GET", path)).text)
  return body
})

describe("an empty list", () => {
  // Python, test_container_registry_client.pyTestContainerRegistryClienttest_list_in_empty_repo.json
  it.live("of tags is null, also in the answer to a deletion", () =>
    Effect.gen(function* () {
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      const digest = yield* seed("a")
      assert.deepStrictEqual(yield* json("/acr/v1/a/_tags"), { registry: loginServer, imageName: "a", tags: null })
      const deleted = yield* askAsAdmin("DELETE", "/acr/v1/a")
      assert.strictEqual(deleted.text, JSON.stringify({ manifestsDeleted: [digest], tagsDeleted: null }))
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of repositories is null, also behind the last name", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* json("/acr/v1/_catalog"), { repositories: null })
      yield* seed("a")
      assert.deepStrictEqual(yield* json("/acr/v1/_catalog?last=a"), { repositories: null })
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of the distribution API is a list", () =>
    Effect.gen(function* () {
      yield* seed("a")
      assert.deepStrictEqual(yield* json("/v2/a/tags/list"), { name: "a", tags: [] })
    }).pipe(Effect.provide(emulator()))
  )
})

/** The body of a refusal, as the registry writes it. */
const refusal = (code: string, message: string, detail?: unknown) =>
  JSON.stringify({ errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] })

const digest = `sha256:${"0".repeat(64)}`

describe("what is missing", () => {
  const tagUnknown = refusal("TAG_UNKNOWN", "the specified tag does not exist")
  const notFound = refusal("NAME_UNKNOWN", 'repository "wrong-name" is not found')
  const manifestUnknown = refusal("MANIFEST_UNKNOWN", "manifest unknown")
  const update = { body: '{"writeEnabled":false}' }

  for (const [method, path, body, recording] of [
    ["GET", "/acr/v1/a/_tags/none", tagUnknown, "Go, TestClient_GetTagProperties_wrongTag.json"],
    ["PATCH", "/acr/v1/a/_tags/none", tagUnknown, "Go, TestClient_UpdateTagProperties_wrongTag.json"],
    ["GET", "/acr/v1/wrong-name/_tags/none", tagUnknown, "Python, test_delete_manifest_does_not_exist.json"],
    ["PATCH", "/acr/v1/wrong-name/_tags/none", tagUnknown, "none: as GET and DELETE"],
    ["DELETE", "/acr/v1/wrong-name/_tags/none", tagUnknown, "Python, test_delete_tag_does_not_exist.json"],
    ["GET", "/acr/v1/wrong-name", notFound, "Go, TestClient_GetRepositoryProperties_wrongName.json"],
    ["PATCH", "/acr/v1/wrong-name", notFound, "Go, TestClient_UpdateRepositoryProperties_wrongRepository.json"],
    ["GET", "/acr/v1/wrong-name/_tags", notFound, "Go, TestClient_NewListTagsPager_wrongRepositoryName.json"],
    ["GET", "/acr/v1/wrong-name/_manifests", notFound, "Go, TestClient_NewListManifestsPager_wrongRepositoryName.json"],
    [
      "GET",
      `/acr/v1/a/_manifests/${digest}`,
      manifestUnknown,
      "Python, test_get_manifest_properties_does_not_exist.json"
    ],
    ["PATCH", `/acr/v1/a/_manifests/${digest}`, manifestUnknown, "none: as GET"],
    [
      "DELETE",
      `/v2/a/manifests/${digest}`,
      refusal("MANIFEST_UNKNOWN", `manifest ${digest} is not found`),
      "Python, test_delete_manifest_does_not_exist.json"
    ],
    [
      "GET",
      "/v2/a/manifests/wrong-tag",
      refusal("MANIFEST_UNKNOWN", 'manifest tagged by "wrong-tag" is not found', { Tag: "wrong-tag" }),
      "Go, TestClient_GetManifest_wrongTag.json"
    ],
    [
      "DELETE",
      `/v2/a/blobs/${digest}`,
      refusal("BLOB_UNKNOWN", "blob unknown to registry"),
      "Python, test_delete_blob_does_not_exist.json"
    ]
  ] as const) {
    it.live(`is named as ACR names it: ${method} ${path} (${recording})`, () =>
      Effect.gen(function* () {
        yield* seed("a", "v1")
        const reply = yield* askAsAdmin(method, path, method === "PATCH" ? update : {})
        assert.deepStrictEqual([reply.status, reply.text], [404, body])
      }).pipe(Effect.provide(emulator()))
    )
  }
})

describe("a digest that is none", () => {
  // Go, TestBlobClient_completeUpload_wrongDigest.json
  it.live("is refused at the end of an upload, with the reason", () =>
    Effect.gen(function* () {
      const message = "provided digest did not match uploaded content"
      const none = yield* askAsAdmin("PUT", withDigest(yield* open, "sha256:00000000"))
      assert.deepStrictEqual(
        [none.status, none.text],
        [400, refusal("DIGEST_INVALID", message, "digest parsing failed")]
      )
      const other = yield* askAsAdmin("PUT", withDigest(yield* open, digest))
      assert.deepStrictEqual([other.status, other.text], [400, refusal("DIGEST_INVALID", message)])
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a deletion of a manifest by its tag", () => {
  // Go, TestClient_DeleteManifest_wrongDigest.json
  it.live("is refused as unsupported, whether there is such a tag or not", () =>
    Effect.gen(function* () {
      yield* seed("a", "v1")
      for (const path of ["/v2/a/manifests/v1", "/v2/a/manifests/error-digest", "/v2/none/manifests/v1"]) {
        const reply = yield* askAsAdmin("DELETE", path)
        assert.deepStrictEqual(
          [reply.status, reply.text],
          [405, refusal("UNSUPPORTED", "A manifest can only be deleted by digest.")]
        )
      }
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a path", () => {
  const pageNotFound = [404, "text/plain; charset=utf-8", "404 page not found\n", undefined]

  // Go, TestClient_GetManifestProperties_wrongDigest.json and TestBlobClient/GetBlob_fail.json
  for (const path of [
    "/acr/v1/hello-world/_manifests/wrong-digest",
    "/v2/testblobclient/blobs/wrong%20digest",
    "/v2/hello-world/manifests/-no-tag",
    "/v2/hello-world/manifests/sha256:00",
    "/acr/v1/hello-world/_tags/-no-tag",
    "/acr/v1/UPPER",
    "/v2/a..b/tags/list"
  ]) {
    it.live(`with an invalid name or digest does not exist, for any caller: ${path}`, () =>
      Effect.gen(function* () {
        for (const reply of [yield* ask("GET", path), yield* askAsAdmin("GET", path)]) {
          assert.deepStrictEqual(
            [reply.status, reply.headers["content-type"], reply.text, reply.headers["www-authenticate"]],
            pageNotFound
          )
        }
      }).pipe(Effect.provide(emulator()))
    )
  }

  // RFC 9110, section 15.5.6.
  it.live("that knows other methods says which", () =>
    Effect.gen(function* () {
      yield* seed("a", "v1")
      for (const [method, path, allowed] of [
        ["POST", "/v2/", "GET, HEAD"],
        ["POST", "/v2/a/manifests/v1", "DELETE, GET, HEAD, PUT"],
        ["PATCH", "/acr/v1/a/_tags", "GET"],
        ["PUT", "/acr/v1/a", "DELETE, GET, PATCH"]
      ] as const) {
        const reply = yield* ask(method, path)
        assert.deepStrictEqual([reply.status, reply.headers["allow"]], [405, allowed], `${method} ${path}`)
        assert.strictEqual(reply.text, refusal("UNSUPPORTED", "the operation is unsupported"))
      }
      assert.strictEqual((yield* ask("POST", "/nothing")).status, 404)
    }).pipe(Effect.provide(emulator()))
  )
})

describe("the base of the distribution API", () => {
  // Go, TestClient_CheckDockerV2Support.json
  it.live("answers an empty object, and challenges without a scope", () =>
    Effect.gen(function* () {
      const { endpoint, loginServer } = yield* AcrEmulator.AcrEmulator
      const challenged = yield* ask("GET", "/v2/")
      assert.strictEqual(
        challenged.headers["www-authenticate"],
        `Bearer realm="${endpoint}/oauth2/token",service="${loginServer}"`
      )
      assert.match(challenged.text, /"detail":null}]}$/)
      const reply = yield* askAsAdmin("GET", "/v2/")
      assert.deepStrictEqual(
        [reply.status, reply.headers["content-type"], reply.text],
        [200, "application/json; charset=utf-8", "{}"]
      )
    }).pipe(Effect.provide(emulator()))
  )

  it.live("answers HEAD as GET", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* ask("HEAD", "/v2/")).status, 401)
      const reply = yield* askAsAdmin("HEAD", "/v2/")
      assert.deepStrictEqual([reply.status, reply.headers["content-length"]], [200, "2"])
    }).pipe(Effect.provide(emulator()))
  )
})

describe("the headers of an answer", () => {
  const exposed = "Docker-Content-Digest, WWW-Authenticate, Link, X-Ms-Correlation-Request-Id"
  const secure = "max-age=31536000; includeSubDomains"

  // Every recording, such as js/deletes_a_given_tag.json.
  it.live("are those of ACR", () =>
    Effect.gen(function* () {
      yield* seed("a", "v1")
      for (const [reply, remaining] of [
        [yield* ask("GET", "/v2/"), undefined],
        [yield* askAsAdmin("GET", "/acr/v1/a"), undefined],
        [yield* askAsAdmin("GET", "/v2/a/manifests/none"), undefined],
        [yield* ask("DELETE", "/acr/v1/a/_tags/v1"), undefined],
        [yield* askAsAdmin("DELETE", "/acr/v1/a/_tags/v1"), "8.000000"],
        [yield* askAsAdmin("DELETE", "/acr/v1/a/_tags/v1"), "8.000000"]
      ] as const) {
        assert.deepInclude(reply.headers, {
          "access-control-expose-headers": exposed,
          "docker-distribution-api-version": "registry/2.0",
          "strict-transport-security": secure,
          "x-content-type-options": "nosniff"
        })
        assert.strictEqual(reply.headers["x-ms-ratelimit-remaining-calls-per-second"], remaining)
      }
      const refused = yield* ask("POST", "/oauth2/exchange")
      assert.strictEqual(refused.headers["strict-transport-security"], secure)
      assert.isUndefined(refused.headers["access-control-expose-headers"])
      assert.isUndefined(refused.headers["docker-distribution-api-version"])
    }).pipe(Effect.provide(emulator()))
  )

  it.live("bind no browser to https on localhost, where other programs are served without", () =>
    Effect.gen(function* () {
      const reply = yield* ask("GET", "/v2/")
      assert.isUndefined(reply.headers["strict-transport-security"])
      assert.strictEqual(reply.headers["access-control-expose-headers"], exposed)
    }).pipe(Effect.provide(emulator({ host: "localhost" })))
  )
})

describe("a list by time", () => {
  const links = Effect.fnUntraced(function* (list: string, orderby: string) {
    const reply = yield* askAsAdmin("GET", `/acr/v1/a/${list}?n=1&orderby=${orderby}`)
    return reply.headers["link"]
  })

  // 2001-09-09T01:46:40Z, when Unix counted 1,000,000,000 seconds, is tick 631,355,968,000,000,000.
  const ticks = 631_355_968_000_000_000n

  const linkAfter = (list: string, key: string) =>
    `</acr/v1/a/${list}?last=${ticks}%26${encodeURIComponent(key)}&n=1&orderby=timeasc>; rel="next"`

  it.live("continues from a time in ticks of .NET and a digest or a name", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.AcrEmulator
      const digest = yield* emulator.seed({ repository: "a", tags: ["v1"], pushedAt: DateTime.makeUnsafe(1e12) })
      yield* emulator.seed({ repository: "a", tags: ["v2"], pushedAt: DateTime.makeUnsafe(2e12) })
      assert.strictEqual(yield* links("_manifests", "timeasc"), linkAfter("_manifests", digest))
      assert.strictEqual(yield* links("_tags", "timeasc"), linkAfter("_tags", "v1"))
    }).pipe(Effect.provide(emulator()))
  )

  it.live("continues at the same place when the item before it is gone or has changed", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.AcrEmulator
      yield* emulator.seed({ repository: "a", tags: ["a", "b"], pushedAt: DateTime.makeUnsafe(1e12) })
      yield* emulator.seed({ repository: "a", tags: ["c"], pushedAt: DateTime.makeUnsafe(2e12) })
      const first = yield* askAsAdmin("GET", "/acr/v1/a/_tags?n=1&orderby=timeasc")
      assert.match(first.text, /"name":"a"/)
      yield* askAsAdmin("DELETE", "/acr/v1/a/_tags/a")
      const [, next = ""] = /^<([^>]+)>/.exec(first.headers["link"] ?? "") ?? []
      assert.match((yield* askAsAdmin("GET", next)).text, /"name":"b"/)
      const newest = yield* askAsAdmin("GET", `/acr/v1/a/_tags?last=${ticks}%26b&orderby=timedesc`)
      assert.strictEqual(JSON.parse(newest.text).tags, null)
      const older = yield* askAsAdmin("GET", `/acr/v1/a/_tags?last=${ticks * 2n}%26b&orderby=timedesc`)
      assert.match(older.text, /"name":"c".*"name":"b"/)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("has links without the digest of its query, so that their pages hold every tag", () =>
    Effect.gen(function* () {
      const digest = yield* seed("a", "v1", "v2")
      const reply = yield* askAsAdmin("GET", `/acr/v1/a/_tags?n=1&digest=${encodeURIComponent(digest)}`)
      assert.strictEqual(reply.headers["link"], '</acr/v1/a/_tags?last=v1&n=1&orderby=>; rel="next"')
    }).pipe(Effect.provide(emulator()))
  )
})

describe("the number of items of a page", () => {
  for (const path of [
    "/v2/a/tags/list",
    "/v2/_catalog",
    "/acr/v1/_catalog",
    "/acr/v1/a/_tags",
    "/acr/v1/a/_manifests"
  ]) {
    it.live(`may be 0, and may not be below: ${path}`, () =>
      Effect.gen(function* () {
        yield* seed("a", "v1")
        const none = yield* askAsAdmin("GET", `${path}?n=0`)
        assert.deepStrictEqual([none.status, none.headers["link"]], [200, undefined])
        assert.match(none.text, /(?:"tags"|"repositories"|"manifests"):(?:null|\[\])/)
        const refused = yield* askAsAdmin("GET", `${path}?n=-1`)
        assert.deepStrictEqual(
          [refused.status, refused.text],
          [400, refusal("PAGINATION_NUMBER_INVALID", "invalid number of results requested", { n: -1 })]
        )
      }).pipe(Effect.provide(emulator()))
    )
  }
})

const ociImage = "application/vnd.oci.image.manifest.v1+json"
const dockerImage = "application/vnd.docker.distribution.manifest.v2+json"
const dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"

const put = (reference: string, mediaType: string, manifest: object) =>
  askAsAdmin("PUT", `/v2/a/manifests/${reference}`, {
    body: HttpBody.uint8Array(new TextEncoder().encode(JSON.stringify(manifest)), mediaType)
  })

/** An image of a configuration of 2 bytes and a layer of 7, whose blobs are there. */
const image = Effect.gen(function* () {
  return {
    schemaVersion: 2,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...(yield* push("{}")) },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", ...(yield* push("a layer")) }]
  }
})

describe("a manifest that its Content-Type contradicts", () => {
  // .NET, ContainerRegistryContentClientLiveTests/CanSetDockerManifest.json
  for (const [what, mediaType, fields] of [
    ["a Docker manifest as one of OCI", ociImage, { mediaType: dockerImage }],
    ["an OCI manifest without media type as one of Docker", dockerImage, {}],
    ["an OCI manifest as one of Docker", dockerImage, { mediaType: ociImage }],
    ["text", "text/plain", { mediaType: ociImage }],
    ["JSON", "application/json", { mediaType: ociImage }]
  ] as const) {
    it.live(`is refused without saying why: ${what}`, () =>
      Effect.gen(function* () {
        const reply = yield* put("v1", mediaType, { ...(yield* image), ...fields })
        assert.deepStrictEqual(
          [reply.status, reply.text],
          [400, refusal("MANIFEST_INVALID", "manifest invalid", { Reason: {} })]
        )
      }).pipe(Effect.provide(emulator()))
    )
  }

  it.live("is one that its Content-Type does not contradict with another", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* put("v1", ociImage, yield* image)).status, 201)
      assert.strictEqual((yield* put("v1", dockerImage, { ...(yield* image), mediaType: dockerImage })).status, 201)
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a configuration without size", () => {
  it.live("is accepted, as the README of Azure's Python client has it, and exists after a restart", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const pushed = yield* Effect.gen(function* () {
        const { config, ...rest } = yield* image
        const { size, ...unsized } = config
        const reply = yield* put("v1", ociImage, { ...rest, config: { ...unsized, sizeInBytes: size } })
        assert.strictEqual(reply.status, 201)
        return (yield* askAsAdmin("GET", "/v2/a/manifests/v1")).text
      }).pipe(Effect.provide(emulator({ directory })))
      const again = yield* askAsAdmin("GET", "/v2/a/manifests/v1").pipe(Effect.provide(emulator({ directory })))
      assert.strictEqual(again.text, pushed)
    })
  )
})

describe("the properties of a manifest", () => {
  const Properties = Schema.fromJsonString(
    Schema.Struct({
      manifest: Schema.Struct({ imageSize: Schema.Int, tags: Schema.optionalKey(Schema.Array(Schema.String)) })
    })
  )
  const propertiesOf = Effect.fnUntraced(function* (reply: Reply) {
    const digest = reply.headers["docker-content-digest"] ?? ""
    const { text } = yield* askAsAdmin("GET", `/acr/v1/a/_manifests/${digest}`)
    return (yield* Schema.decodeEffect(Properties)(text)).manifest
  })

  // Python, test_list_in_empty_repo.json: 224,446,477 bytes are the 2,561 of the list and those of its eleven images.
  it.live("is the size of the layers of an image, and of an index with its images", () =>
    Effect.gen(function* () {
      const text = { ...(yield* image), mediaType: dockerImage }
      const pushed = yield* put("v1", dockerImage, text)
      assert.strictEqual((yield* propertiesOf(pushed)).imageSize, "a layer".length)
      const size = JSON.stringify(text).length
      const digest = pushed.headers["docker-content-digest"]
      const list = { schemaVersion: 2, mediaType: dockerList, manifests: [{ mediaType: dockerImage, digest, size }] }
      const properties = yield* propertiesOf(yield* put("v2", dockerList, list))
      assert.strictEqual(properties.imageSize, JSON.stringify(list).length + "a layer".length)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is its tags by name", () =>
    Effect.gen(function* () {
      for (const tag of ["v2", "v1", "v3"]) yield* put(tag, ociImage, yield* image)
      assert.deepStrictEqual((yield* propertiesOf(yield* put("v0", ociImage, yield* image))).tags, [
        "v0",
        "v1",
        "v2",
        "v3"
      ])
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a pull under a condition", () => {
  // RFC 9110, section 13.1.2. Recordings of ACR show the ETag.
  it.live("is answered 304 if the manifest is the one that the caller has", () =>
    Effect.gen(function* () {
      const digest = yield* seed("a", "v1")
      for (const method of ["GET", "HEAD"] as const) {
        for (const [tags, status] of [
          [`"${digest}"`, 304],
          [`"other", W/"${digest}"`, 304],
          ["*", 304],
          ['"other"', 200]
        ] as const) {
          const reply = yield* askAsAdmin(method, "/v2/a/manifests/v1", { headers: { "if-none-match": tags } })
          assert.deepStrictEqual([reply.status, reply.headers["etag"]], [status, `"${digest}"`])
          if (status === 304) assert.strictEqual(reply.text, "")
        }
      }
    }).pipe(Effect.provide(emulator()))
  )
})

const Granted = Schema.fromJsonString(Schema.Struct({ access_token: Schema.String }))

describe("the token service", () => {
  const Exchanged = Schema.fromJsonString(Schema.Struct({ refresh_token: Schema.String }))
  const Claims = Schema.fromJsonString(Schema.JsonObject)

  const exchange = Effect.gen(function* () {
    const { loginServer, logins } = yield* AcrEmulator.AcrEmulator
    const fields = { grant_type: "access_token", access_token: Redacted.value(logins.entraToken) }
    const { text } = yield* ask("POST", "/oauth2/exchange", { body: form({ ...fields, service: loginServer }) })
    return (yield* Schema.decodeEffect(Exchanged)(text)).refresh_token
  })

  // Go, TestBlobClient_GetChunk.json, whose refresh token can be decoded.
  it.live("writes refresh tokens with the claims of ACR's", () =>
    Effect.gen(function* () {
      const [, payload = ""] = (yield* exchange).split(".")
      const claims = yield* Schema.decodeEffect(Claims)(Buffer.from(payload, "base64url").toString())
      const names = "jti sub nbf exp iat iss aud version rid grant_type appid permissions roles"
      assert.deepStrictEqual(Object.keys(claims), names.split(" "))
      assert.deepInclude(claims, {
        iss: "Azure Container Registry",
        version: "1.0",
        grant_type: "refresh_token",
        permissions: {
          Actions: ["read", "write", "delete", "deleted/read", "deleted/restore/action"],
          NotActions: null
        },
        roles: []
      })
    }).pipe(Effect.provide(emulator()))
  )

  it.live("answers a request for a token of another service with 400 and nothing else", () =>
    Effect.gen(function* () {
      const fields = { grant_type: "refresh_token", refresh_token: yield* exchange, service: "other.azurecr.io" }
      const reply = yield* ask("POST", "/oauth2/token", { body: form(fields) })
      assert.deepStrictEqual([reply.status, reply.text, reply.headers["content-length"]], [400, "", "0"])
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a login without a name and a password", () => {
  const headers = { authorization: `Basic ${btoa(":")}` }

  it.live("is a challenge at a resource, and anonymous at the token service", () =>
    Effect.gen(function* () {
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      yield* seed("a", "v1")
      const challenged = yield* ask("GET", "/v2/a/manifests/v1", { headers })
      assert.strictEqual(challenged.status, 401)
      assert.match(challenged.headers["www-authenticate"] ?? "", /scope="repository:a:pull"$/)
      const { text } = yield* ask("GET", `/oauth2/token?service=${loginServer}&scope=repository:a:pull`, { headers })
      const { access_token } = yield* Schema.decodeEffect(Granted)(text)
      const bearer = { headers: { authorization: `Bearer ${access_token}` } }
      assert.strictEqual((yield* ask("GET", "/v2/a/manifests/v1", bearer)).status, 200)
      assert.strictEqual((yield* ask("PUT", "/v2/a/manifests/v1", bearer)).status, 401)
    }).pipe(Effect.provide(emulator({ anonymousPull: true })))
  )
})

describe("a Docker image for a caller that does not accept schema 2", () => {
  const Signed = Schema.fromJsonString(
    Schema.Struct({
      schemaVersion: Schema.Int,
      name: Schema.String,
      tag: Schema.String,
      architecture: Schema.String,
      fsLayers: Schema.Array(Schema.Struct({ blobSum: Schema.String })),
      history: Schema.Array(Schema.Struct({ v1Compatibility: Schema.String })),
      signatures: Schema.Array(
        Schema.Struct({
          header: Schema.Struct({ jwk: Schema.Record(Schema.String, Schema.String), alg: Schema.Literal("ES256") }),
          signature: Schema.String,
          protected: Schema.String
        })
      )
    })
  )
  const Protected = Schema.fromJsonString(Schema.Struct({ formatLength: Schema.Int, formatTail: Schema.String }))
  const signedType = "application/vnd.docker.distribution.manifest.v1+prettyjws"
  const headers = { accept: "application/json" }

  const pushed = Effect.gen(function* () {
    const config = JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: [] },
      history: [{ created_by: "ADD file" }, { created_by: "ENV a=b", empty_layer: true }]
    })
    const described = { mediaType: "application/vnd.docker.container.image.v1+json", ...(yield* push(config)) }
    const manifest = { ...(yield* image), mediaType: dockerImage, config: described }
    assert.strictEqual((yield* put("v1", dockerImage, manifest)).status, 201)
    return manifest
  })

  it.live("comes by tag as signed schema 1, which its signature fits", () =>
    Effect.gen(function* () {
      const { layers } = yield* pushed
      const reply = yield* askAsAdmin("GET", "/v2/a/manifests/v1", { headers })
      assert.deepStrictEqual([reply.status, reply.headers["content-type"]], [200, signedType])
      const { fsLayers, history, signatures, ...rest } = yield* Schema.decodeEffect(Signed)(reply.text)
      assert.deepStrictEqual(rest, { schemaVersion: 1, name: "a", tag: "v1", architecture: "amd64" })
      // The newest first, and a layer without files for the step that added none.
      assert.strictEqual(fsLayers[1]?.blobSum, layers[0]?.digest)
      assert.deepStrictEqual([fsLayers.length, history.length, signatures.length], [2, 2, 1])
      assert.match(history[0]?.v1Compatibility ?? "", /"throwaway":true/)

      for (const { header, protected: protection, signature } of signatures) {
        const facts = yield* Schema.decodeEffect(Protected)(Buffer.from(protection, "base64url").toString())
        const tail = Buffer.from(facts.formatTail, "base64url").toString()
        const payload = reply.text.slice(0, facts.formatLength) + tail
        assert.strictEqual(reply.headers["docker-content-digest"], digestOf(payload))
        const key = createPublicKey({ key: header.jwk, format: "jwk" })
        const text = Buffer.from(`${protection}.${Buffer.from(payload).toString("base64url")}`)
        const given = Buffer.from(signature, "base64url")
        assert.isTrue(verify("sha256", text, { key, dsaEncoding: "ieee-p1363" }, given))
      }
      const head = yield* askAsAdmin("HEAD", "/v2/a/manifests/v1", { headers })
      assert.deepStrictEqual(
        [head.headers["content-type"], head.headers["content-length"], head.headers["docker-content-digest"]],
        [signedType, String(reply.text.length), reply.headers["docker-content-digest"]]
      )
    }).pipe(Effect.provide(emulator()))
  )

  it.live("comes by digest as it was pushed", () =>
    Effect.gen(function* () {
      const manifest = JSON.stringify(yield* pushed)
      const reply = yield* askAsAdmin("GET", `/v2/a/manifests/${digestOf(manifest)}`, { headers })
      assert.deepStrictEqual([reply.headers["content-type"], reply.text], [dockerImage, manifest])
    }).pipe(Effect.provide(emulator()))
  )

  // Azure/acr, pull request 764.
  it.live("is none of OCI, which is not found", () =>
    Effect.gen(function* () {
      yield* put("v1", ociImage, yield* image)
      const reply = yield* askAsAdmin("GET", "/v2/a/manifests/v1", { headers })
      const text = "OCI manifest found, but accept header does not support OCI manifests"
      assert.deepStrictEqual([reply.status, reply.text], [404, refusal("MANIFEST_UNKNOWN", text)])
    }).pipe(Effect.provide(emulator()))
  )
})
