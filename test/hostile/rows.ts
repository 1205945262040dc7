/**
 * Misbehaviours of hostile and broken registries, and how the client handles them: a row for each known problem of clients
 * of registries.
 */
import { createHash } from "node:crypto"
import * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Credentials from "@effect-acr/client/Credentials"
import { RegistryError } from "@effect-acr/client/RegistryError"
import * as Registry from "@effect-acr/client/Registry"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import * as RetryPolicy from "@effect-acr/client/RetryPolicy"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { answer, type Hostile, listen, type Piece, type Rule } from "../support/hostileRegistry.ts"

export interface Row {
  /** What the registry does. */
  readonly does: string
  /** The result: `is read`, `is read as bytes`, or the reason of the error. */
  readonly outcome: string
  /** The most bytes that the client may read from the registry. */
  readonly mostBytes?: number
  readonly run: Effect.Effect<{ readonly outcome: string; readonly registry: Hostile }, never, Scope.Scope>
}

/** A password that the client must send to the registry only. */
export const password = { username: "contoso", password: Redacted.make("planted-password") }

/** The result of a program that reads a manifest without a view. */
const bytesAlone = "is read as bytes"

/** The result of a program in a word. */
const wordOf = <E>(effect: Effect.Effect<unknown, E, Registry.Services>, registry: Hostile): Effect.Effect<string> =>
  Effect.map(
    Effect.result(
      Effect.provide(
        effect,
        Registry.layer({
          endpoint: registry.endpoint,
          // One attempt, with short waits for bytes that never arrive.
          retry: { ...RetryPolicy.never, attemptTimeout: "2 seconds" },
          idleTimeout: "1 second"
        }).pipe(
          Layer.provide([
            Credentials.layerPassword(password),
            NodeRegistryHttpClient.layerOptions({ ca: registry.certificate })
          ])
        )
      )
    ),
    (result) => {
      if (Result.isSuccess(result)) return result.success === bytesAlone ? bytesAlone : "is read"
      const { failure } = result
      return failure instanceof RegistryError ? failure.reason._tag : String(failure)
    }
  )

const row = (
  does: string,
  outcome: string,
  rules: ReadonlyArray<Rule> | ((endpoint: string) => ReadonlyArray<Rule>),
  program: Effect.Effect<unknown, unknown, Registry.Services>,
  options: { readonly mostBytes?: number; readonly tls?: boolean; readonly greet?: ReadonlyArray<Piece> } = {}
): Row => ({
  does,
  outcome,
  ...(options.mostBytes === undefined ? {} : { mostBytes: options.mostBytes }),
  run: Effect.gen(function* () {
    const registry = yield* listen(typeof rules === "function" ? rules : () => rules, options)
    return { outcome: yield* wordOf(program, registry), registry }
  })
})

const anything = /./

/** A registry that leads to storage on another origin, which does as it likes. */
const withStorage = (
  does: string,
  outcome: string,
  rules: (storage: string) => ReadonlyArray<Rule>,
  storageAnswers: (registry: string) => string,
  program: Effect.Effect<unknown, unknown, Registry.Services>
): Row => ({
  does,
  outcome,
  run: Effect.gen(function* () {
    let endpoint = ""
    const storage = yield* listen(() => [{ on: anything, send: () => [storageAnswers(endpoint)] }])
    const registry = yield* listen(() => rules(storage.endpoint))
    endpoint = registry.endpoint
    return { outcome: yield* wordOf(program, registry), registry }
  })
})

const sha256 = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`

const content = "content"
const digest = sha256(content)
const descriptor = { mediaType: "application/octet-stream", digest, size: content.length }
const empty = { mediaType: "application/vnd.oci.empty.v1+json", digest: sha256("{}"), size: 2 }

const imageType = "application/vnd.oci.image.manifest.v1+json"
const image = (change: object = {}): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: imageType, config: empty, layers: [descriptor], ...change })

const ofBlob = /^GET \/v2\/a\/blobs\//
const ofManifest = /^GET \/v2\/a\/manifests\//

const blobBytes = Effect.flatMap(RegistryContent.RegistryContent, (service) => service.blobBytes("a", digest))
/** With a size that is known, and no limit but that. */
const blobOfSize = Effect.flatMap(RegistryContent.RegistryContent, (service) =>
  Effect.flatMap(service.manifest("a", "v1"), ({ manifest }) =>
    manifest._tag === "ImageManifest"
      ? Effect.forEach(manifest.layers, (layer) => Stream.runDrain(service.blob("a", layer)))
      : Effect.die("not an image")
  )
)
const range = Effect.flatMap(RegistryContent.RegistryContent, (service) =>
  Effect.flatMap(
    Stream.runFold(
      service.blobRange("a", digest, { offset: 3, length: 3 }),
      () => "",
      (text, piece) => text + Buffer.from(piece).toString()
    ),
    (text) => (text === "ten" ? Effect.void : Effect.die(`other bytes: ${text}`))
  )
)
const manifest = Effect.flatMap(RegistryContent.RegistryContent, (service) =>
  Effect.map(service.manifest("a", "v1"), ({ manifest }) =>
    manifest._tag === "UnknownManifest" ? bytesAlone : manifest._tag
  )
)
/** In two chunks: one that is sent on its own (PATCH), and one that is sent with the commit (PUT). */
const upload = Effect.flatMap(RegistryContent.RegistryContent, (service) =>
  service.uploadBlob("a", BlobSource.fromString(content), { chunkSize: 4 })
)
const repositories = Effect.flatMap(ContainerRegistry.ContainerRegistry, (service) =>
  Stream.runCollect(service.repositories())
)
const tags = Effect.flatMap(RegistryContent.RegistryContent, (service) => Stream.runCollect(service.tags("a")))

const manifestAnswer = (body: string, headers: { readonly [name: string]: string | ReadonlyArray<string> } = {}) =>
  answer(200, { "Content-Type": imageType, ...headers }, body)

const both: ReadonlyArray<Rule> = [
  { on: ofManifest, send: [manifestAnswer(image())] },
  {
    on: ofBlob,
    send: [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      { endless: "10000\r\n" + "x".repeat(65536) + "\r\n" }
    ]
  }
]

const challenge = (parameters: string) => answer(401, { "WWW-Authenticate": `Bearer ${parameters}` })

/** What is taken ahead by the sockets of both sides. */
const buffers = 8 * 1024 * 1024

const digests: ReadonlyArray<Row> = [
  row(
    "states a digest other than that of the manifest",
    "ContentMismatch",
    [{ on: ofManifest, send: [manifestAnswer(image(), { "Docker-Content-Digest": sha256("another") })] }],
    manifest
  ),
  row("states no digest of a manifest", "is read", [{ on: ofManifest, send: [manifestAnswer(image())] }], manifest),
  row(
    "states two digests of a manifest",
    "is read",
    [
      {
        on: ofManifest,
        send: [manifestAnswer(image(), { "Docker-Content-Digest": [sha256(image()), sha256("another")] })]
      }
    ],
    manifest
  ),
  row(
    "answers a request for a digest with another blob, and states the digest of that blob",
    "ContentMismatch",
    [{ on: ofBlob, send: [answer(200, { "Docker-Content-Digest": sha256("another") }, "another")] }],
    blobBytes
  ),
  ...[
    "sha256:../../../etc/passwd",
    `sha256:${"A".repeat(64)}`,
    `md5:${"0".repeat(32)}`,
    `sha256:${"0".repeat(63)}`,
    ""
  ].map((name) =>
    row(
      `names a layer ${JSON.stringify(name.slice(0, 28))}`,
      bytesAlone,
      [{ on: ofManifest, send: [manifestAnswer(image({ layers: [{ ...descriptor, digest: name }] }))] }],
      manifest
    )
  )
]

const bodies: ReadonlyArray<Row> = [
  row(
    "sends fewer bytes of a blob than its length states",
    "Unavailable",
    [{ on: ofBlob, send: ["HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ncont", "<cut>"] }],
    blobBytes
  ),
  row(
    "sends fewer bytes of a blob, and states the smaller length",
    "ContentMismatch",
    [{ on: ofBlob, send: [answer(200, {}, "cont")] }],
    blobBytes
  ),
  row(
    "sends more bytes of a blob than it has",
    "ContentMismatch",
    [{ on: ofBlob, send: [answer(200, {}, `${content}!`)] }],
    blobBytes
  ),
  row("sends a blob of a known size without end", "ContentMismatch", both, blobOfSize, { mostBytes: buffers }),
  row("sends a blob of unknown size without end", "TooLarge", both, blobBytes, {
    mostBytes: 16 * 1024 * 1024 + buffers
  }),
  row(
    "sends an endless manifest",
    "TooLarge",
    [
      {
        on: ofManifest,
        send: [`HTTP/1.1 200 OK\r\nContent-Type: ${imageType}\r\n\r\n`, { endless: " ".repeat(65536) }]
      }
    ],
    manifest,
    { mostBytes: 4 * 1024 * 1024 + buffers }
  ),
  row(
    "sends an endless page of a list",
    "TooLarge",
    [
      {
        on: anything,
        send: ["HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", { endless: " ".repeat(65536) }]
      }
    ],
    repositories,
    { mostBytes: 16 * 1024 * 1024 + buffers }
  ),
  row(
    "sends an error with an endless body",
    "Forbidden",
    [{ on: anything, send: ["HTTP/1.1 403 Forbidden\r\n\r\n", { endless: "x".repeat(65536) }] }],
    repositories,
    { mostBytes: 64 * 1024 + buffers }
  ),
  row(
    "sends an error as a page of HTML",
    "Forbidden",
    [{ on: anything, send: [answer(403, { "Content-Type": "text/html" }, "<html></html>")] }],
    repositories
  ),
  row(
    "states two lengths of one body",
    "Unavailable",
    [{ on: ofBlob, send: ["HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 9\r\n\r\ncontent!!"] }],
    blobBytes
  ),
  row(
    "states a length and sends chunks",
    "Unavailable",
    [
      {
        on: ofBlob,
        send: ["HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n7\r\ncontent\r\n0\r\n\r\n"]
      }
    ],
    blobBytes
  ),
  row(
    "breaks the framing of chunks",
    "Unavailable",
    [{ on: ofBlob, send: ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\ncontent\r\n0\r\n\r\n"] }],
    blobBytes
  ),
  row(
    "cuts a chunk",
    "Unavailable",
    [{ on: ofBlob, send: ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\ncont", "<cut>"] }],
    blobBytes
  ),
  row(
    "stops in the middle of a blob",
    "Unavailable",
    [{ on: ofBlob, send: ["HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ncont", "<hold>"] }],
    blobBytes
  ),
  row("stops before it answers", "Unavailable", [{ on: ofBlob, send: ["<hold>"] }], blobBytes),
  row(
    "stops in the middle of a header",
    "Unavailable",
    [{ on: ofBlob, send: ["HTTP/1.1 200 OK\r\nContent-Le", "<hold>"] }],
    blobBytes
  ),
  row(
    "resets the connection in the middle of a blob",
    "Unavailable",
    [{ on: ofBlob, send: ["HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ncont", "<reset>"] }],
    blobBytes
  ),
  row(
    "compresses a manifest unasked",
    "ContentMismatch",
    [
      {
        on: ofManifest,
        send: [manifestAnswer("\u001f\u008b", { "Content-Encoding": "gzip", "Docker-Content-Digest": sha256(image()) })]
      }
    ],
    manifest
  )
]

const protocol: ReadonlyArray<Row> = [
  row("speaks no HTTP", "Unavailable", [{ on: anything, send: ["220 smtp.example ESMTP\r\n", "<cut>"] }], repositories),
  row(
    "sends a status line and nothing else",
    "Unavailable",
    [{ on: anything, send: ["HTTP/1.1 200 OK\r\n", "<cut>"] }],
    repositories
  ),
  row(
    "sends endless headers",
    "Unavailable",
    [{ on: anything, send: ["HTTP/1.1 200 OK\r\n", { endless: `X-Header: ${"x".repeat(8192)}\r\n` }] }],
    repositories,
    { mostBytes: buffers }
  ),
  row(
    "sends endless informational responses",
    "Unavailable",
    [{ on: anything, send: [{ endless: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" }] }],
    repositories,
    // Nothing of them is kept; the time for an attempt is what ends it.
    { mostBytes: Number.POSITIVE_INFINITY }
  ),
  row("greets with half a record of TLS", "Unavailable", [], repositories, {
    greet: [Buffer.from([0x16, 0x03, 0x03, 0x40, 0x00, 0x02]), "<hold>"]
  }),
  row(
    "answers with a status that does not exist",
    "Unavailable",
    [{ on: anything, send: ["HTTP/1.1 999 Whatever\r\nContent-Length: 0\r\n\r\n"] }],
    repositories
  ),
  row("answers a list with no content", "InvalidResponse", [{ on: anything, send: [answer(204)] }], repositories)
]

const ranges: ReadonlyArray<Row> = [
  row(
    "sends the requested bytes",
    "is read",
    [{ on: ofBlob, send: [answer(206, { "Content-Range": "bytes 3-5/7" }, "ten")] }],
    range
  ),
  row(
    "sends bytes of another range",
    "InvalidResponse",
    [{ on: ofBlob, send: [answer(206, { "Content-Range": "bytes 4-6/7" }, "ent")] }],
    range
  ),
  row(
    "sends several ranges",
    "InvalidResponse",
    [{ on: ofBlob, send: [answer(206, { "Content-Type": "multipart/byteranges; boundary=x" }, "--x")] }],
    range
  ),
  row("sends no `Content-Range`", "InvalidResponse", [{ on: ofBlob, send: [answer(206, {}, "ten")] }], range),
  row(
    "sends two `Content-Range` headers",
    "InvalidResponse",
    [{ on: ofBlob, send: [answer(206, { "Content-Range": ["bytes 3-5/7", "bytes 0-2/7"] }, "ten")] }],
    range
  ),
  row("sends the whole blob instead of a part", "is read", [{ on: ofBlob, send: [answer(200, {}, content)] }], range),
  row(
    "sends more bytes than the range has",
    "is read",
    [{ on: ofBlob, send: [answer(206, { "Content-Range": "bytes 3-6/7" }, "tent")] }],
    range
  )
]

const places: ReadonlyArray<Row> = [
  row("opens an upload without a location", "InvalidResponse", [{ on: /^POST/, send: [answer(202)] }], upload),
  row(
    "opens an upload at an invalid address",
    "Refused",
    [{ on: /^POST/, send: [answer(202, { Location: "http://[" })] }],
    upload
  ),
  row(
    "opens an upload at a `file:` address",
    "Refused",
    [{ on: /^POST/, send: [answer(202, { Location: "file:///etc/passwd" })] }],
    upload
  ),
  row(
    "opens an upload at a metadata service",
    "Refused",
    [{ on: /^POST/, send: [answer(202, { Location: "https://169.254.169.254/latest/" })] }],
    upload
  ),
  row(
    "opens an upload at plain http",
    "Refused",
    (endpoint) => [{ on: /^POST/, send: [answer(202, { Location: endpoint.replace("https:", "http:") })] }],
    upload,
    { tls: true }
  ),
  row(
    "opens an upload at its own address with a login in it",
    "is read",
    (endpoint) => [
      { on: /^POST/, send: [answer(202, { Location: `${endpoint.replace("//", "//user:word@")}/s` })] },
      { on: /^PATCH/, send: [answer(202, { Location: "/s", Range: "0-6" })] },
      { on: /^PUT/, send: [answer(201)] }
    ],
    upload
  ),
  withStorage(
    "opens an upload at storage that names the registry's own repository as the session",
    "Refused",
    (storage) => [{ on: /^POST/, send: [answer(202, { Location: `${storage}/s` })] }],
    (registry) => answer(202, { Location: `${registry}/acr/v1/a`, Range: "0-999" }),
    upload
  ),
  withStorage(
    "redirects to storage that redirects back to it",
    "Unauthenticated",
    (storage) => [
      { on: ofBlob, send: [answer(307, { Location: `${storage}/b` })] },
      { on: /^GET \/acr/, send: [answer(401, { "WWW-Authenticate": 'Basic realm="registry"' })] }
    ],
    (registry) => answer(307, { Location: `${registry}/acr/v1/_catalog` }),
    blobBytes
  ),
  withStorage(
    "redirects to storage that demands a password",
    "Unauthenticated",
    (storage) => [{ on: ofBlob, send: [answer(307, { Location: `${storage}/b` })] }],
    () => answer(401, { "WWW-Authenticate": 'Basic realm="storage"' }),
    blobBytes
  ),
  row(
    "redirects in a loop",
    "Refused",
    [{ on: ofBlob, send: [answer(307, { Location: `/v2/a/blobs/${digest}` })] }],
    blobBytes
  ),
  row("redirects to no address", "Refused", [{ on: ofBlob, send: [answer(307, { Location: "https://" })] }], blobBytes),
  row("redirects and does not say where", "InvalidResponse", [{ on: ofBlob, send: [answer(307)] }], blobBytes),
  row(
    "redirects a list",
    "Unsupported",
    [{ on: anything, send: [answer(307, { Location: "/elsewhere" })] }],
    repositories
  ),
  row(
    "links pages in a loop",
    "InvalidResponse",
    [{ on: anything, send: [answer(200, { Link: '</acr/v1/_catalog>; rel="next"' }, '{"repositories":["a"]}')] }],
    repositories
  ),
  row(
    "links endless empty pages",
    "InvalidResponse",
    [
      {
        on: anything,
        send: ({ target }) => {
          const page = Number(new URL(target, "https://a").searchParams.get("last") ?? 0) + 1
          return [answer(200, { Link: `</acr/v1/_catalog?last=${page}>; rel="next"` }, '{"repositories":[]}')]
        }
      }
    ],
    repositories
  ),
  row(
    "links to a page by an address of 9 KiB",
    "InvalidResponse",
    [
      {
        on: anything,
        send: [
          answer(200, { Link: `</acr/v1/_catalog?last=${"a".repeat(9000)}>; rel="next"` }, '{"repositories":["a"]}')
        ]
      }
    ],
    repositories
  ),
  row(
    "has its next page on another host",
    "Refused",
    [
      {
        on: anything,
        send: [
          answer(200, { Link: '<https://elsewhere.example/acr/v1/_catalog>; rel="next"' }, '{"repositories":["a"]}')
        ]
      }
    ],
    repositories
  ),
  row(
    "links to garbage",
    "is read",
    [{ on: anything, send: [answer(200, { Link: "<<<>;;rel=,=next" }, '{"repositories":["a"]}')] }],
    repositories
  )
]

const logins: ReadonlyArray<Row> = [
  ...[
    "file:///etc/passwd",
    "https://169.254.169.254/token",
    "http://0.0.0.0/token",
    "https://[::ffff:169.254.169.254]/token",
    "https://user:word@127.0.0.1/token"
  ].map((realm) =>
    row(
      `names the token service ${realm}`,
      "Refused",
      [{ on: anything, send: [challenge(`realm="${realm}",service="s"`)] }],
      repositories
    )
  ),
  row(
    "names a token service by a path alone",
    "InvalidResponse",
    [{ on: anything, send: [challenge('realm="/token",service="s"')] }],
    repositories
  ),
  row(
    "demands an unknown kind of login",
    "InvalidResponse",
    [{ on: anything, send: [answer(401, { "WWW-Authenticate": "Negotiate" })] }],
    repositories
  ),
  row(
    "redirects the request for a token",
    "Refused",
    (endpoint) => [
      { on: /\/token/, send: [answer(307, { Location: "/elsewhere" })] },
      { on: anything, send: [challenge(`realm="${endpoint}/token",service="s"`)] }
    ],
    repositories
  ),
  row(
    "grants a token of 65 KiB",
    "InvalidResponse",
    (endpoint) => [
      {
        on: /\/token/,
        send: [answer(200, { "Content-Type": "application/json" }, JSON.stringify({ token: "t".repeat(65 * 1024) }))]
      },
      { on: anything, send: [challenge(`realm="${endpoint}/token",service="s"`)] }
    ],
    repositories
  ),
  row(
    "grants an endless token",
    "TooLarge",
    (endpoint) => [
      {
        on: /\/token/,
        send: [
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
          { endless: "1000\r\n" + "t".repeat(4096) + "\r\n" }
        ]
      },
      { on: anything, send: [challenge(`realm="${endpoint}/token",service="s"`)] }
    ],
    repositories,
    { mostBytes: buffers }
  ),
  row(
    "refuses every token that it issues",
    "Unauthenticated",
    (endpoint) => [
      { on: /\/token/, send: [answer(200, { "Content-Type": "application/json" }, '{"token":"t"}')] },
      { on: anything, send: [challenge(`realm="${endpoint}/token",service="s"`)] }
    ],
    repositories
  ),
  row(
    "has separators such as `&` in the parameters of a token request",
    "is read",
    (endpoint) => [
      {
        on: /\/token/,
        send: ({ target }) => {
          const { searchParams } = new URL(target, endpoint)
          const asIs =
            searchParams.get("service") === "s&account=x#y" &&
            searchParams.getAll("scope").includes("repository:a:pull&b=c")
          return [answer(asIs ? 200 : 400, { "Content-Type": "application/json" }, '{"token":"t"}')]
        }
      },
      {
        on: anything,
        times: 1,
        send: [challenge(`realm="${endpoint}/token",service="s&account=x#y",scope="repository:a:pull&b=c"`)]
      },
      { on: anything, send: [answer(200, { "Content-Type": "application/json" }, '{"repositories":[]}')] }
    ],
    repositories
  ),
  row(
    "sends a malformed challenge of 12 kB",
    "Unauthenticated",
    [{ on: anything, send: [answer(401, { "WWW-Authenticate": ",".repeat(8000) + '"'.repeat(4000) })] }],
    repositories
  )
]

const documents: ReadonlyArray<Row> = [
  ...[-1, 2 ** 62, 1.5, "7", null].map((size) =>
    row(
      `states that a layer has ${JSON.stringify(size)} bytes`,
      bytesAlone,
      [{ on: ofManifest, send: [manifestAnswer(image({ layers: [{ ...descriptor, size }] }))] }],
      manifest
    )
  ),
  row(
    "states that a layer has 1e999 bytes",
    bytesAlone,
    [{ on: ofManifest, send: [manifestAnswer(image().replace(`"size":${content.length}`, '"size":1e999'))] }],
    manifest
  ),
  row(
    "sends a manifest that is also an index",
    bytesAlone,
    [{ on: ofManifest, send: [manifestAnswer(image({ manifests: [] }))] }],
    manifest
  ),
  row(
    "sends an index with the media type of a manifest",
    bytesAlone,
    [
      {
        on: ofManifest,
        send: [
          manifestAnswer(
            JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [] })
          )
        ]
      }
    ],
    manifest
  ),
  row(
    "lists one layer with two sizes",
    "ContentMismatch",
    [
      { on: ofManifest, send: [manifestAnswer(image({ layers: [descriptor, { ...descriptor, size: 8 }] }))] },
      { on: ofBlob, send: [answer(200, {}, content)] }
    ],
    blobOfSize
  ),
  row(
    "repeats a member in one document",
    "is read",
    [
      {
        on: ofManifest,
        send: [manifestAnswer(image().replace('"schemaVersion":2', '"schemaVersion":1,"schemaVersion":2'))]
      }
    ],
    manifest
  ),
  row(
    "nests a document a hundred thousand deep",
    "is read",
    [
      {
        on: ofManifest,
        send: [manifestAnswer(image().replace("{", `{"deep":${"[".repeat(100_000)}${"]".repeat(100_000)},`))]
      }
    ],
    manifest
  ),
  row(
    "nests an error a hundred thousand deep",
    "Forbidden",
    [
      {
        on: anything,
        send: [answer(403, {}, `{"errors":[{"code":"A","detail":${"[".repeat(30_000)}${"]".repeat(30_000)}}]}`)]
      }
    ],
    repositories
  ),
  row(
    "quotes the request's password in the escapes of JSON",
    "Forbidden",
    [
      { on: /./, times: 1, send: [answer(401, { "WWW-Authenticate": 'Basic realm="registry"' })] },
      {
        on: anything,
        send: ({ headers }) => {
          const password = Buffer.from((headers["authorization"] ?? "").slice(6), "base64").toString()
          const escaped = Array.from(password, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`)
          return [answer(403, {}, `{"errors":[{"code":"DENIED","message":"no ${escaped.join("")}"}]}`)]
        }
      }
    ],
    repositories
  ),
  row(
    "writes the escape sequences of a terminal into an error",
    "Forbidden",
    [{ on: anything, send: [answer(403, {}, '{"errors":[{"code":"DENIED","message":"\\u001b[2J\\r\\nlogged in"}]}')] }],
    repositories
  ),
  row(
    "nests a list a hundred thousand deep",
    "InvalidResponse",
    [{ on: anything, send: [answer(200, {}, `{"repositories":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)] }],
    repositories
  ),
  row(
    "has null in the place of a list",
    "is read",
    [{ on: anything, send: [answer(200, {}, '{"name":"a","tags":null}')] }],
    tags
  ),
  row(
    "lists an invalid name and a valid one",
    "is read",
    [{ on: anything, send: [answer(200, {}, '{"repositories":["../../etc","alpine"]}')] }],
    Effect.flatMap(repositories, (names) =>
      names.join() === "alpine" ? Effect.void : Effect.die(`other names: ${names.join()}`)
    )
  ),
  row(
    "sends another kind of document",
    "InvalidResponse",
    [{ on: anything, send: [answer(200, {}, '[{"__proto__":{"polluted":true}}]')] }],
    repositories
  ),
  row(
    "sends a warning of 12 kB",
    "is read",
    [{ on: anything, send: [answer(200, { Warning: `299 - "${"x".repeat(12_000)}"` }, '{"repositories":[]}')] }],
    repositories
  )
]

export const groups: ReadonlyArray<readonly [string, ReadonlyArray<Row>]> = [
  ["Digests", digests],
  ["Bodies", bodies],
  ["Protocol", protocol],
  ["Ranges of blobs", ranges],
  ["Redirects and locations", places],
  ["Authentication", logins],
  ["Documents", documents]
]
