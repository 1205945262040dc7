/**
 * Errors name the refused argument and its value, unless the value may be a secret.
 */
import { assert, describe, it } from "@effect/vitest"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import * as BlobSource from "../src/BlobSource.ts"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import * as Digest from "../src/Digest.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import { isRegistryError, type RegistryError } from "../src/RegistryError.ts"
import * as Transport from "../src/Transport.ts"
import { content, sha256 } from "./support/content.ts"
import { Journal } from "./support/registry.ts"

type Call = Effect.Effect<unknown, unknown, ContainerRegistry | RegistryContent | FileSystem.FileSystem>

const onRegistry = <A, E, R>(use: (registry: ContainerRegistry["Service"]) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(ContainerRegistry, use)
const onContent = <A, E, R>(use: (content: RegistryContent["Service"]) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(RegistryContent, use)

const digest = sha256("content")
const source = BlobSource.fromString("content")
const blob = { digest: Digest.Digest.make(digest), size: 7 }
const wrong = "Not/A_name"

/** The operation, the argument, its value, and a call. */
const calls: ReadonlyArray<readonly [string, string, string, Call]> = [
  ["ContainerRegistry.reference", "repository", wrong, onRegistry((_) => _.reference(wrong, "v1"))],
  ["ContainerRegistry.reference", "tagOrDigest", "-v1", onRegistry((_) => _.reference("a", "-v1"))],
  ["ContainerRegistry.reference", "tagOrDigest", "sha256:0", onRegistry((_) => _.reference("a", "sha256:0"))],
  [
    "ContainerRegistry.repositories",
    "pageSize",
    "0",
    onRegistry((_) => Stream.runDrain(_.repositories({ pageSize: 0 })))
  ],
  ["ContainerRegistry.repositoryProperties", "repository", wrong, onRegistry((_) => _.repositoryProperties(wrong))],
  ["ContainerRegistry.updateRepository", "repository", wrong, onRegistry((_) => _.updateRepository(wrong, {}))],
  ["ContainerRegistry.deleteRepository", "repository", wrong, onRegistry((_) => _.deleteRepository(wrong))],
  ["ContainerRegistry.tags", "repository", wrong, onRegistry((_) => Stream.runDrain(_.tags(wrong)))],
  ["ContainerRegistry.tags", "digest", "v1", onRegistry((_) => Stream.runDrain(_.tags("a", { digest: "v1" })))],
  ["ContainerRegistry.tags", "pageSize", "1.5", onRegistry((_) => Stream.runDrain(_.tags("a", { pageSize: 1.5 })))],
  ["ContainerRegistry.tagProperties", "tag", "", onRegistry((_) => _.tagProperties("a", ""))],
  ["ContainerRegistry.updateTag", "tag", " v1", onRegistry((_) => _.updateTag("a", " v1", {}))],
  ["ContainerRegistry.deleteTag", "repository", wrong, onRegistry((_) => _.deleteTag(wrong, "v1"))],
  ["ContainerRegistry.deleteTag", "tag", "v1 ", onRegistry((_) => _.deleteTag("a", "v1 "))],
  [
    "ContainerRegistry.manifests",
    "pageSize",
    "NaN",
    onRegistry((_) => Stream.runDrain(_.manifests("a", { pageSize: NaN })))
  ],
  [
    "ContainerRegistry.manifestProperties",
    "tagOrDigest",
    "md5:0",
    onRegistry((_) => _.manifestProperties("a", "md5:0"))
  ],
  ["ContainerRegistry.updateManifest", "tagOrDigest", ".", onRegistry((_) => _.updateManifest("a", ".", {}))],
  ["ContainerRegistry.deleteManifest", "tagOrDigest", "v1/2", onRegistry((_) => _.deleteManifest("a", "v1/2"))],
  [
    "ContainerRegistry.deletedRepositories",
    "pageSize",
    "0",
    onRegistry((_) => Stream.runDrain(_.deletedRepositories({ pageSize: 0 })))
  ],
  [
    "ContainerRegistry.deletedManifests",
    "repository",
    wrong,
    onRegistry((_) => Stream.runDrain(_.deletedManifests(wrong)))
  ],
  [
    "ContainerRegistry.deletedManifests",
    "pageSize",
    "1.5",
    onRegistry((_) => Stream.runDrain(_.deletedManifests("a", { pageSize: 1.5 })))
  ],
  ["ContainerRegistry.deletedTags", "repository", wrong, onRegistry((_) => Stream.runDrain(_.deletedTags(wrong)))],
  ["ContainerRegistry.restoreManifest", "repository", wrong, onRegistry((_) => _.restoreManifest(wrong, digest))],
  ["ContainerRegistry.restoreManifest", "digest", "v1", onRegistry((_) => _.restoreManifest("a", "v1"))],
  ["ContainerRegistry.restoreManifest", "tag", ".", onRegistry((_) => _.restoreManifest("a", digest, { tag: "." }))],
  ["RegistryContent.tags", "repository", wrong, onContent((_) => Stream.runDrain(_.tags(wrong)))],
  ["RegistryContent.tags", "pageSize", "-1", onContent((_) => Stream.runDrain(_.tags("a", { pageSize: -1 })))],
  ["RegistryContent.resolve", "tagOrDigest", "v1:2", onContent((_) => _.resolve("a", "v1:2"))],
  ["RegistryContent.manifest", "repository", "a/", onContent((_) => _.manifest("a/", "v1"))],
  [
    "RegistryContent.putManifest",
    "mediaType",
    "json",
    onContent((_) => _.putManifest("a", "{}", { mediaType: "json" }))
  ],
  [
    "RegistryContent.putManifest",
    "tag",
    ".",
    onContent((_) => _.putManifest("a", "{}", { mediaType: "a/b", tag: "." }))
  ],
  [
    "RegistryContent.putManifest",
    "tags",
    "1.0:2",
    onContent((_) => _.putManifest("a", "{}", { mediaType: "a/b", tag: "v1", tags: ["v2", "1.0:2"] }))
  ],
  ["RegistryContent.deleteManifest", "repository", wrong, onContent((_) => _.deleteManifest(wrong, "v1"))],
  ["RegistryContent.headBlob", "digest", "v1", onContent((_) => _.headBlob("a", "v1"))],
  ["RegistryContent.blob", "blob", "v1", onContent((_) => Stream.runDrain(_.blob("a", "v1")))],
  [
    "RegistryContent.blobRange",
    "offset",
    "-1",
    onContent((_) => Stream.runDrain(_.blobRange("a", digest, { offset: -1, length: 1 })))
  ],
  [
    "RegistryContent.blobRange",
    "length",
    "0",
    onContent((_) => Stream.runDrain(_.blobRange("a", digest, { offset: 0, length: 0 })))
  ],
  ["RegistryContent.blobBytes", "blob", "v1", onContent((_) => _.blobBytes("a", "v1"))],
  [
    "RegistryContent.blobBytes",
    "maxSize",
    "Infinity",
    onContent((_) => _.blobBytes("a", digest, { maxSize: Infinity }))
  ],
  ["RegistryContent.downloadBlob", "blob", "v1", onContent((_) => _.downloadBlob("a", "v1", "file"))],
  ["RegistryContent.uploadBlob", "repository", wrong, onContent((_) => _.uploadBlob(wrong, source))],
  [
    "RegistryContent.uploadBlob",
    "mediaType",
    "json",
    onContent((_) => _.uploadBlob("a", source, { mediaType: "json" }))
  ],
  ["RegistryContent.uploadBlob", "digest", "v1", onContent((_) => _.uploadBlob("a", source, { digest: "v1" }))],
  [
    "RegistryContent.uploadBlob",
    "mountFrom",
    wrong,
    onContent((_) => _.uploadBlob("a", source, { digest, mountFrom: wrong }))
  ],
  ["RegistryContent.uploadBlob", "chunkSize", "0", onContent((_) => _.uploadBlob("a", source, { chunkSize: 0 }))],
  ["RegistryContent.putBlob", "repository", wrong, onContent((_) => _.putBlob(wrong, blob, source))],
  ["RegistryContent.putBlob", "blob.size", "-1", onContent((_) => _.putBlob("a", { ...blob, size: -1 }, source))],
  ["RegistryContent.putBlob", "mountFrom", wrong, onContent((_) => _.putBlob("a", blob, source, { mountFrom: wrong }))],
  ["RegistryContent.putBlob", "chunkSize", "0", onContent((_) => _.putBlob("a", blob, source, { chunkSize: 0 }))],
  ["RegistryContent.mountBlob", "digest", "v1", onContent((_) => _.mountBlob("a", { digest: "v1", from: "b" }))],
  ["RegistryContent.mountBlob", "from", wrong, onContent((_) => _.mountBlob("a", { digest, from: wrong }))],
  ["RegistryContent.deleteBlob", "digest", "v1", onContent((_) => _.deleteBlob("a", "v1"))]
]

/** Fails unless the call is refused for an argument. Returns the name of the argument, its value and the message. */
const refusalOf = (error: unknown) => {
  if (!isRegistryError(error) || error.reason._tag !== "InvalidRequest") return assert.fail(String(error))
  const { argument, value } = error.reason
  return { operation: error.operation, argument, value, message: error.message }
}

describe("an argument", () => {
  for (const [operation, argument, value, call] of calls) {
    it.effect(`${argument} of ${operation} is named with its value ${JSON.stringify(value)}`, () =>
      Effect.gen(function* () {
        const { message, ...refusal } = refusalOf(yield* Effect.flip(call))
        assert.deepStrictEqual(refusal, { operation, argument, value })
        assert.isTrue(message.startsWith(`${operation}: InvalidRequest: ${argument} "${value}": `), message)
        assert.lengthOf(yield* Journal, 0)
      }).pipe(Effect.provide([content(() => assert.fail("nothing is sent")), NodeFileSystem.layer]))
    )
  }

  it.effect("without a value is named alone", () =>
    Effect.gen(function* () {
      const { putManifest } = yield* RegistryContent
      const { argument, value } = refusalOf(yield* Effect.flip(putManifest("a", "{}")))
      assert.deepStrictEqual([argument, value], ["mediaType", undefined])
    }).pipe(Effect.provide(content(() => assert.fail("nothing is sent"))))
  )

  it.effect("that excludes another one is named", () =>
    Effect.gen(function* () {
      const { tags } = yield* ContainerRegistry
      // As a program without types passes them.
      const both: object = { orderBy: "newest", continueFrom: "v1" }
      const { argument, value } = refusalOf(yield* Effect.flip(Stream.runDrain(tags("a", both))))
      assert.deepStrictEqual([argument, value], ["continueFrom", "v1"])
    }).pipe(Effect.provide(content(() => assert.fail("nothing is sent"))))
  )
})

const make = (options: Transport.Options) =>
  Effect.map(Effect.flip(Transport.make(options)), refusalOf).pipe(
    Effect.provide([
      Credentials.layerAnonymous,
      Layer.succeed(
        HttpClient.HttpClient,
        HttpClient.make(() => Effect.never)
      )
    ])
  )

describe("an option of a transport", () => {
  const endpoint = "myregistry.azurecr.io"
  const options: ReadonlyArray<readonly [string, string | undefined, Transport.Options]> = [
    ["endpoint", "ftp://registry.example", { endpoint: "ftp://registry.example" }],
    ["endpoint", "myregistry.azurecr.io/library/alpine", { endpoint: "myregistry.azurecr.io/library/alpine" }],
    ["endpoint", "http://registry.example", { endpoint: "http://registry.example" }],
    ["endpoint", "<redacted>", { endpoint: "https://contoso:planted@registry.example" }],
    ["endpoint", "<redacted>", { endpoint: "https://registry.example?token=planted" }],
    ["trustedRealms", "auth.example.com", { endpoint, trustedRealms: ["https://ok.example", "auth.example.com"] }],
    [
      "trustedRealms",
      "https://auth.example.com/token",
      { endpoint, trustedRealms: ["https://auth.example.com/token"] }
    ],
    ["trustedRealms", "<redacted>", { endpoint, trustedRealms: ["https://contoso:planted@auth.example.com"] }],
    ["trustedRealms", "ftp://auth.example.com", { endpoint, trustedRealms: ["ftp://auth.example.com"] }],
    ["allowedHosts", "https://storage.example", { endpoint, allowedHosts: ["https://storage.example"] }],
    ["allowedHosts", "storage.example:443", { endpoint, allowedHosts: ["storage.example:443"] }],
    ["allowedHosts", "storage.example/", { endpoint, allowedHosts: ["storage.example/"] }],
    ["allowedHosts", "<redacted>", { endpoint, allowedHosts: ["*.storage.example"] }],
    ["allowedHosts", "", { endpoint, allowedHosts: [""] }],
    ["rateLimits.read", "0", { endpoint, rateLimits: { read: 0 } }],
    ["rateLimits.delete", "NaN", { endpoint, rateLimits: { delete: NaN } }]
  ]
  for (const [argument, value, given] of options) {
    it.effect(`${argument} is named with its value ${value}`, () =>
      Effect.gen(function* () {
        const refusal = yield* make(given)
        assert.deepStrictEqual(
          [refusal.operation, refusal.argument, refusal.value],
          ["Transport.make", argument, value]
        )
        assert.notInclude(refusal.message, "planted")
      })
    )
  }
})

const valueOf = (tag: string) =>
  Effect.gen(function* () {
    const { tagProperties } = yield* ContainerRegistry
    const { message, value } = refusalOf(yield* Effect.flip(tagProperties("a", tag)))
    return { message, value }
  }).pipe(Effect.provide(content(() => assert.fail("nothing is sent"))))

describe("a refused value", () => {
  const shown = [
    "",
    " ",
    "v1\n",
    "Library/Hello",
    "1.0+build.7",
    "feature/FOO-123",
    "${VERSION}",
    "v1-${GITHUB_SHA}",
    "latest ",
    "Ünïcödé",
    "registry.example:5000/library/alpine",
    `library/alpine@${sha256("a")}`,
    `alpine:v1@${sha256("a")}`,
    "library/*",
    "MyApp2/x",
    "App:node18alpine3",
    "${tag}",
    "App:3f2a9c0b1d4e5f60718293a4b5c6d7e8f9012345",
    "App/x86_64-glibc2.31"
  ]
  for (const text of shown) {
    it.effect(`that looks like a name is shown: ${JSON.stringify(text)}`, () =>
      Effect.gen(function* () {
        const { message, value } = yield* valueOf(text)
        assert.strictEqual(value, text.replace("\n", "\\n"))
        assert.include(message, `tag "${value}": `)
      })
    )
  }

  const hidden: ReadonlyArray<readonly [string, string]> = [
    ["a password", "Tr0ub4dor&3"],
    ["a password of letters and digits", "/Summer2026"],
    ["a passphrase", "correct horse battery staple"],
    ["a login in an address", "https://contoso:hunter2@registry.example/alpine:v1"],
    ["a login without a scheme", "contoso:hunter2@registry.example/alpine"],
    ["a user before a host", "contoso@registry.example"],
    ["a connection string", "Endpoint=registry.example;Key=hunter"],
    ["an address with a signature", "https://storage.example/blob?sig=hunter"],
    ["a password of ACR", "eGpUc+ACRAbcdefghijklmnopqrstuvwxyz0123456789/ABCDEFGH"],
    [
      "a JSON Web Token",
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U/"
    ],
    ["a token of GitHub", "ghp_16C7e42F292c6912E7710c838347Ae178B4a/"],
    ["a token of Docker Hub", "dckr_pat_aBcDeFgH1jKlMnOpQrStUvWxYz/"],
    ["a token of GitLab", "glpat-abcdefghijklmnopqrst/"],
    ["a short token of GitHub", "ghp_abcdefgh/"],
    ["an access key of Amazon", "AKIAIOSFODNNABCDEFGH/"],
    ["a password of lower-case letters and digits", "contoso:k3v9x0q2m7t1w8zz"],
    ["a key in base32", "/GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"],
    ["a login in an address before a digest", "https://contoso:hunterhunter@sha256:80/x"],
    ["a text in braces that is no placeholder", "${hunter2hunter2secret}"],
    ["a token in lower case", `/${"abcdefghij".repeat(5)}`],
    ["a private key", "-----BEGIN PRIVATE KEY-----\nMIIE"],
    ["a megabyte", "a/".repeat(500_000)]
  ]
  for (const [what, text] of hidden) {
    it.effect(`that may be a secret is not shown: ${what}`, () =>
      Effect.gen(function* () {
        const { message, value } = yield* valueOf(text)
        assert.strictEqual(value, "<redacted>")
        for (const word of text.split(/[^\p{L}\p{N}]+/u)) if (word.length > 4) assert.notInclude(message, word)
      })
    )
  }

  it.effect("is short and printable", () =>
    Effect.gen(function* () {
      const long = yield* valueOf("a/".repeat(400))
      assert.strictEqual(long.value, `${"a/".repeat(64)}…`)
      const marked = yield* valueOf("v1\u001b[2J")
      assert.strictEqual(marked.value, "<redacted>")
      const spaced = yield* valueOf("v1\u2028")
      assert.strictEqual(spaced.value, String.raw`v1\u2028`)
    })
  )

  it.effect("of another type is named by its type", () =>
    Effect.gen(function* () {
      const { repositoryProperties } = yield* ContainerRegistry
      // As a program without types passes them.
      const values: ReadonlyArray<readonly [unknown, string]> = [
        [undefined, "undefined"],
        [null, "<null>"],
        [{ password: "planted" }, "<object>"],
        [Option.some("planted"), "<object>"],
        [12, "12"]
      ]
      const untyped: (name: unknown) => Effect.Effect<unknown, RegistryError> = (name) =>
        Reflect.apply(repositoryProperties, undefined, [name])
      for (const [given, expected] of values) {
        assert.strictEqual(refusalOf(yield* Effect.flip(untyped(given))).value, expected)
      }
    }).pipe(Effect.provide(content(() => assert.fail("nothing is sent"))))
  )
})
