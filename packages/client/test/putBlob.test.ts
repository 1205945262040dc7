/**
 * `putBlob`: how a repository gets a blob, the number of requests, and mounts that the registry does not carry out.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as BlobSource from "../src/BlobSource.ts"
import * as Digest from "../src/Digest.ts"
import { Hasher, type Start } from "../src/Hasher.ts"
import { type PutBlobOptions, RegistryContent, type UploadBlobOptions } from "../src/RegistryContent.ts"
import { NotFound, RegistryError } from "../src/RegistryError.ts"
import { content, sha256 } from "./support/content.ts"
import { asked, by, digest, empty, refusal, type Route, taking, text, uploads } from "./support/lenient.ts"
import { challenge, Journal, json, type Reply, type Script } from "./support/registry.ts"

const blob = { digest: Digest.Digest.make(digest), size: text.length }

const put = <E, R>(source: BlobSource.BlobSource<E, R>, options: PutBlobOptions = {}, wanted: typeof blob = blob) =>
  Effect.flatMap(RegistryContent, (content) => content.putBlob("alpine", wanted, source, options))

const mounting = { mountFrom: "debian" }
const bytes = BlobSource.fromString(text)

/** Dies if it is accessed. */
const untouched: BlobSource.BlobSource = {
  sizeBytes: Effect.die("the size of the source was read"),
  read: () => Stream.die("the source was read"),
  repeatable: true
}

/** Has a size, and dies if it is read. */
const unread: BlobSource.BlobSource = { ...untouched, sizeBytes: Effect.succeed(text.length) }

const head = `HEAD /v2/alpine/blobs/${digest}`
const mount = `POST ${uploads}?mount=${encodeURIComponent(digest)}&from=debian`
const commit = `PUT ${uploads}1?digest=${encodeURIComponent(digest)}`
const sent = [`POST ${uploads}`, commit]

const onMount = (answer: Route[2]) => taking(["POST", /mount=/, answer])
const there = (headers: { readonly [name: string]: string } = {}): Script =>
  taking(["HEAD", /blobs/, () => empty(200, headers)])

/** A mount of other content. */
const otherContent = () => empty(201, { location: "/v2/alpine/blobs/x", "docker-content-digest": sha256("other") })

/** What is logged about uploads at the debug level. */
const logged = (script: Script) => {
  const lines: Array<string> = []
  const logger = Logger.make(({ message }) => {
    if (String(message).startsWith("upload: ")) lines.push(String(message))
  })
  const layer = content(script).pipe(
    Layer.provideMerge(Layer.mergeAll(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, "Debug")))
  )
  return { lines, layer }
}

describe("a blob that exists", () => {
  for (const headers of [{ "content-length": "10" }, {}]) {
    it.effect(`costs a HEAD, and its source is not accessed: ${JSON.stringify(headers)}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* put(untouched, mounting), "present")
        assert.deepStrictEqual(yield* asked, [head])
      }).pipe(Effect.provide(content(there(headers))))
    )
  }

  it.effect("with another size does not count, and the blob is sent", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* put(bytes), "sent")
      assert.deepStrictEqual(yield* asked, [head, ...sent])
    }).pipe(Effect.provide(content(there({ "content-length": "11" }))))
  )
})

describe("a blob that is missing", () => {
  it.effect("is sent", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* put(bytes), "sent")
      assert.deepStrictEqual(yield* asked, [head, ...sent])
      assert.strictEqual((yield* Journal).find(({ method }) => method === "PUT")?.body, text)
    }).pipe(Effect.provide(content(taking())))
  )

  it.effect("and for which the registry accepts another one fails, and is not sent again", () =>
    Effect.gen(function* () {
      const { reason, response } = yield* Effect.flip(put(bytes))
      assert.deepInclude({ ...reason }, { _tag: "ContentMismatch", expected: digest, actual: sha256("other") })
      assert.strictEqual(response?.status, 201)
      assert.deepStrictEqual(yield* asked, [head, ...sent])
    }).pipe(Effect.provide(content(taking(["PUT", /uploads/, otherContent]))))
  )

  for (const [what, headers] of [
    ["no digest", {}],
    ["its digest", { "docker-content-digest": digest }],
    ["a digest of another algorithm", { "docker-content-digest": `sha512:${"0".repeat(128)}` }]
  ] as const) {
    it.effect(`is mounted by one POST, without reading its content: the answer names ${what}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* put(unread, mounting), "mounted")
        assert.deepStrictEqual(yield* asked, [head, mount])
      }).pipe(
        Effect.provide(content(onMount(() => empty(201, { location: `/v2/alpine/blobs/${digest}`, ...headers }))))
      )
    )
  }

  it.effect("and is not mounted is sent in the session that the registry opened instead", () => {
    const { layer, lines } = logged(onMount(() => empty(202, { location: `${uploads}1` })))
    return Effect.gen(function* () {
      assert.strictEqual(yield* put(bytes, mounting), "sent")
      assert.deepStrictEqual(yield* asked, [head, mount, commit])
      assert.include(lines, `upload: ${digest} is not mounted from debian: the registry opened an upload`)
    }).pipe(Effect.provide(layer))
  })
})

describe("a mount", () => {
  for (const [operation, run] of [
    ["putBlob", put(bytes, mounting)],
    [
      "uploadBlob",
      Effect.flatMap(RegistryContent, (content) => content.uploadBlob("alpine", bytes, { digest, ...mounting }))
    ],
    ["mountBlob", Effect.flatMap(RegistryContent, (content) => content.mountBlob("alpine", { digest, from: "debian" }))]
  ] as const) {
    it.effect(`for which the registry states other content is refused by ${operation}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Effect.asVoid(run))
        assert.strictEqual(error.operation, `RegistryContent.${operation}`)
        assert.deepInclude({ ...error.reason }, { _tag: "ContentMismatch", expected: digest, actual: sha256("other") })
        assert.strictEqual((yield* asked).at(-1), mount)
      }).pipe(Effect.provide(content(onMount(otherContent))))
    )
  }

  const upload = Effect.flatMap(RegistryContent, (content) =>
    Effect.as(content.uploadBlob("alpine", bytes, { digest, ...mounting }), "sent" as const)
  )
  // The retry policy of these tests allows three more attempts.
  const answers: ReadonlyArray<readonly [status: number, attempts: number]> = [
    [400, 1],
    [401, 1],
    [403, 1],
    [404, 1],
    [405, 1],
    [415, 1],
    [500, 4],
    [501, 1],
    [502, 4],
    [503, 4]
  ]
  for (const [operation, run] of [
    ["putBlob", put(bytes, mounting)],
    ["uploadBlob", upload]
  ] as const) {
    for (const [status, attempts] of answers) {
      it.effect(`that ${operation} is answered with ${status} becomes a plain upload, and says why`, () => {
        const { layer, lines } = logged(onMount(() => refusal(status, "TURNED_DOWN")))
        return Effect.gen(function* () {
          assert.strictEqual(yield* run, "sent")
          const [first, ...rest] = (yield* asked).filter((line) => !line.includes("/oauth2/"))
          assert.strictEqual(first, head)
          const mounts = rest.slice(0, -sent.length)
          assert.deepStrictEqual(rest.slice(-sent.length), sent)
          // A 401 is asked once more with another login.
          assert.isTrue(mounts.every((line) => line === mount))
          if (status !== 401) assert.strictEqual(mounts.length, attempts)
          const why = lines.filter((line) => line.startsWith(`upload: ${digest} is not mounted from debian: `))
          assert.strictEqual(why.length, 1)
          assert.include(why[0], "TURNED_DOWN")
        }).pipe(Effect.provide(layer))
      })
    }
  }

  const unanswered: ReadonlyArray<readonly [what: string, answer: () => Reply, reason: string]> = [
    ["answers 429", () => refusal(429), "Throttled"],
    ["loses the connection", () => "reset", "Unavailable"]
  ]
  for (const [what, answer, reason] of unanswered) {
    it.effect(`for which the registry repeatedly ${what} fails, and no upload begins`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(put(bytes, mounting))
        assert.strictEqual(error.reason._tag, reason)
        assert.deepStrictEqual(yield* asked, [head, mount, mount, mount, mount])
      }).pipe(Effect.provide(content(onMount(answer))))
    )
  }

  it.effect("that the registry answers at the second attempt succeeds", () => {
    let attempts = 0
    return Effect.gen(function* () {
      assert.strictEqual(yield* put(unread, mounting), "mounted")
      assert.deepStrictEqual(yield* asked, [head, mount, mount])
    }).pipe(Effect.provide(content(onMount(() => (++attempts === 1 ? "reset" : empty(201))))))
  })

  for (const status of [401, 403, 500]) {
    it.effect(
      `for which the token service refuses the wider token (${status}) is an upload with the narrow one`,
      () => {
        const tokens: Array<string> = []
        const script: Script = (request, count) => {
          const { authorization, body, method, url } = request
          if (url.pathname === "/oauth2/exchange") return json({ refresh_token: "refresh" })
          if (url.pathname === "/oauth2/token") {
            return body.includes("debian") ? refusal(status, "DENIED") : json({ access_token: "narrow" })
          }
          if (authorization === undefined) return challenge("repository:alpine:pull,push")
          if (method !== "HEAD") tokens.push(authorization.replace("Bearer ", ""))
          return taking()(request, count)
        }
        return Effect.gen(function* () {
          assert.strictEqual(yield* put(bytes, mounting), "sent")
          assert.deepStrictEqual(tokens, ["narrow", "narrow"])
          assert.notInclude(
            (yield* asked).filter((line) => line.startsWith("POST /v2/")),
            mount
          )
        }).pipe(Effect.provide(content(script)))
      }
    )
  }
})

describe("the size of a source", () => {
  it.effect("that differs from the blob's fails before a session is opened", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(put(BlobSource.fromString("longer than that"), mounting))
      assert.strictEqual(error.operation, "RegistryContent.putBlob")
      assert.deepInclude({ ...error.reason }, { _tag: "ContentMismatch", expected: "10 bytes", actual: "16 bytes" })
      assert.deepStrictEqual(yield* asked, [head])
    }).pipe(Effect.provide(content(taking())))
  )

  for (const [pieces, actual] of [
    [["01234"], "5 bytes"],
    [["0123456789", "abc"], "more"]
  ] as const) {
    for (const make of [BlobSource.fromStream, BlobSource.fromRepeatableStream]) {
      it.effect(
        `that differs at the end fails before the commit, and closes the session: ${actual}, ${make.name}`,
        () =>
          Effect.gen(function* () {
            const source = make(Stream.fromIterable(pieces.map((piece) => Buffer.from(piece))))
            const error = yield* Effect.flip(put(source))
            assert.strictEqual(error.operation, "RegistryContent.putBlob")
            assert.deepInclude({ ...error.reason }, { _tag: "ContentMismatch", expected: "10 bytes", actual })
            assert.deepStrictEqual(yield* asked, [head, `POST ${uploads}`, `DELETE ${uploads}1`])
          }).pipe(Effect.provide(content(taking(["DELETE", /uploads/, () => empty(204)]))))
      )
    }
  }

  it.effect("may be unknown: the content is compared with the blob's size", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* put(BlobSource.fromStream(Stream.make(Buffer.from(text)))), "sent")
      assert.deepStrictEqual(yield* asked, [head, ...sent])
    }).pipe(Effect.provide(content(taking())))
  )
})

describe("content that its source verifies", () => {
  const portable = Hasher.defaultValue()

  /** The hashes that are started while an effect runs. */
  const hashesOf = <A, E, R>(run: Effect.Effect<A, E, R | RegistryContent>, script: Script) => {
    let starts = 0
    const counting: Start = (algorithm) => {
      starts += 1
      return portable(algorithm)
    }
    return run.pipe(
      Effect.map(() => starts),
      Effect.provide(content(script).pipe(Layer.provide(Layer.succeed(Hasher, counting))))
    )
  }

  const copying = taking(["GET", /debian\/blobs/, () => new Response(text, { headers: { "content-length": "10" } })])
  const source = Effect.map(RegistryContent, (content) => content.blobSource("debian", blob))

  const upload = (options: UploadBlobOptions) =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      return yield* content.uploadBlob("alpine", yield* source, options)
    })

  it.effect("is hashed once, by the upload", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* hashesOf(Effect.flatMap(source, put), copying), 1)
    })
  )

  it.effect("is requested as a whole, and not by a range", () =>
    Effect.gen(function* () {
      yield* put(yield* source)
      assert.deepStrictEqual(
        (yield* Journal).filter(({ method }) => method === "GET").map(({ range }) => range),
        [null]
      )
    }).pipe(Effect.provide(content(copying)))
  )

  it.effect("is hashed once by an upload with a digest, and twice by one without", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* hashesOf(upload({ digest }), copying), 1)
      assert.strictEqual(yield* hashesOf(upload({}), copying), 2)
    })
  )

  it.effect("is read without that check", () =>
    Effect.gen(function* () {
      const verified: BlobSource.BlobSource = { ...unread, unverified: { read: bytes.read } }
      assert.strictEqual(yield* put(verified), "sent")
      assert.strictEqual((yield* Journal).find(({ method }) => method === "PUT")?.body, text)
    }).pipe(Effect.provide(content(taking())))
  )

  it.effect("but differs nonetheless is not committed", () =>
    Effect.gen(function* () {
      const other: BlobSource.BlobSource = { ...unread, unverified: BlobSource.fromString("9876543210") }
      const error = yield* Effect.flip(put(other))
      assert.strictEqual(error.operation, "RegistryContent.putBlob")
      assert.deepInclude({ ...error.reason }, { _tag: "ContentMismatch", actual: sha256("9876543210") })
      assert.deepStrictEqual((yield* asked).at(-1), `DELETE ${uploads}1`)
      assert.isFalse((yield* asked).some((line) => line.startsWith("PUT")))
    }).pipe(Effect.provide(content(taking(["DELETE", /uploads/, () => empty(204)]))))
  )
})

describe("an error of putBlob", () => {
  const turnedDown: ReadonlyArray<readonly [what: string, script: Script, reason: string]> = [
    ["that the upload is refused", taking(["POST", /uploads/, () => refusal(403)]), "Forbidden"],
    ["that the content is refused", taking(["PUT", /uploads/, () => refusal(403)]), "Forbidden"],
    ["that the commit is refused", taking(["PUT", /uploads/, () => refusal(400, "DIGEST_INVALID")]), "ContentMismatch"],
    [
      "that other content was stored",
      taking(["PUT", /uploads/, () => empty(201, { "docker-content-digest": sha256("other") })]),
      "ContentMismatch"
    ],
    [
      "that the registry redirects too many times",
      by(["POST", /./, () => empty(307, { location: uploads })]),
      "Refused"
    ],
    [
      "that the registry does not have what it accepted",
      taking(["PUT", /uploads/, () => empty(200)]),
      "InvalidResponse"
    ]
  ]
  for (const [what, script, reason] of turnedDown) {
    it.effect(`says ${what}, and names the operation`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(put(bytes))
        assert.deepStrictEqual([error.operation, error.reason._tag], ["RegistryContent.putBlob", reason])
      }).pipe(Effect.provide(content(script)))
    )
  }

  const own = new RegistryError({
    operation: "RegistryContent.uploadBlob",
    reason: new NotFound({ resource: "blob", description: "an error of the source" })
  })
  for (const [what, failure] of [
    ["an error of this library", own],
    ["anything else", "the disk is gone"]
  ] as const) {
    it.effect(`is that of the source, unchanged, if the source fails: ${what}`, () =>
      Effect.gen(function* () {
        const broken = BlobSource.fromStream(Stream.concat(Stream.make(Buffer.from("0123")), Stream.fail(failure)))
        assert.strictEqual(yield* Effect.flip(put(broken)), failure)
        assert.strictEqual((yield* asked).at(-1), `DELETE ${uploads}1`)
        const sizeless = { ...broken, sizeBytes: Effect.fail(failure) }
        assert.strictEqual(yield* Effect.flip(put(sizeless)), failure)
      }).pipe(Effect.provide(content(taking(["DELETE", /uploads/, () => empty(204)]))))
    )
  }
})

it.effect("of a mount with too many redirects names its operation", () =>
  Effect.gen(function* () {
    const content = yield* RegistryContent
    const error = yield* Effect.flip(content.mountBlob("alpine", { digest, from: "debian" }))
    assert.deepStrictEqual([error.operation, error.reason._tag], ["RegistryContent.mountBlob", "Refused"])
  }).pipe(Effect.provide(content(by(["POST", /./, () => empty(307, { location: uploads })]))))
)
