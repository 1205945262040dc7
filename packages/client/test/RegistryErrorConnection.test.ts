/**
 * Failed connections: the codes of errors, and whether another attempt follows.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as BlobSource from "../src/BlobSource.ts"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import { AddressRefused } from "../src/Outbound.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import type { ConnectionProblem, RegistryError, Unavailable } from "../src/RegistryError.ts"
import type { RetryPolicy } from "../src/RetryPolicy.ts"
import { content, patient, sha256 } from "./support/content.ts"
import {
  endpoint,
  type HttpFailure,
  Journal,
  json,
  nodeError,
  properties,
  registry,
  type Script
} from "./support/registry.ts"

const policy: RetryPolicy = {
  schedule: Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 3 })),
  maxRetryAfter: "1 minute",
  attemptTimeout: "30 seconds"
}

const connect = (code: string, to = "127.0.0.1:5000") =>
  nodeError(code, `connect ${code} ${to}`, { syscall: "connect" })

/** As `fetch` wraps an error of Node. */
const fetchFailed = (cause: Error) => new TypeError("fetch failed", { cause })

const parserError = (message: string, code?: string) =>
  Object.assign(new Error(message), { name: "HTTPParserError", ...(code === undefined ? {} : { code }) })

interface Row {
  readonly what: string
  readonly failure: Error | HttpFailure
  /** The code of the error, with another one at the first contact if they differ. */
  readonly code: string | undefined
  readonly codeAtFirst?: string
  readonly retryable: boolean
  /** The number of attempts before the registry has ever answered, and after that. */
  readonly attempts: readonly [number, number]
  /** Part of the message. */
  readonly says?: string
  readonly problem?: ConnectionProblem
}

const passing = { retryable: true, attempts: [4, 4] } as const
const lasting = { retryable: false, attempts: [1, 1] } as const
/** Probably a wrong address before the first answer, and a restart after that. */
const doubtful = { retryable: true, attempts: [1, 4] } as const
/** Almost certainly a wrong address before the first answer, and a temporary fault after that. */
const misled = { retryable: false, attempts: [1, 4] } as const

const certificate = (code: string): Row => ({ what: code, failure: nodeError(code, "no"), code, ...lasting })

/** As Node reports a certificate whose issuer it does not trust. */
const untrusted = (code: string): Row => ({
  ...certificate(code),
  failure: nodeError(
    code,
    "no issuer; if the root CA is installed locally, try running Node.js with --use-system-ca, or with NODE_USE_SYSTEM_CA=1"
  ),
  problem: "UntrustedIssuer",
  says: "TransportError: no issuer; if the certificate is right, trust its issuer: NODE_EXTRA_CA_CERTS"
})

const rows: ReadonlyArray<Row> = [
  { what: "a reset", failure: nodeError("ECONNRESET", "read ECONNRESET"), code: "ECONNRESET", ...passing },
  {
    what: "a closed socket",
    failure: nodeError("UND_ERR_SOCKET", "other side closed"),
    code: "UND_ERR_SOCKET",
    ...passing
  },
  {
    what: "a connection that takes too long",
    failure: nodeError("UND_ERR_CONNECT_TIMEOUT", "Connect Timeout Error"),
    code: "UND_ERR_CONNECT_TIMEOUT",
    ...passing
  },
  { what: "packets that vanish", failure: connect("ETIMEDOUT"), code: "ETIMEDOUT", ...passing },
  {
    what: "a resolver that does not answer",
    failure: nodeError("EAI_AGAIN", "getaddrinfo EAI_AGAIN registry.example", { syscall: "getaddrinfo" }),
    code: "EAI_AGAIN",
    ...passing
  },
  { what: "no code at all", failure: new Error("terminated"), code: undefined, ...passing },
  {
    what: "a damaged record",
    failure: nodeError("ERR_SSL_BAD_RECORD_MAC", "no"),
    code: "ERR_SSL_BAD_RECORD_MAC",
    ...passing
  },

  {
    what: "a refusal",
    failure: connect("ECONNREFUSED"),
    code: "ECONNREFUSED",
    says: "connect ECONNREFUSED",
    ...doubtful
  },
  { what: "a refusal by fetch", failure: fetchFailed(connect("ECONNREFUSED")), code: "ECONNREFUSED", ...doubtful },
  {
    what: "a refusal at each of two addresses",
    failure: new AggregateError([connect("ECONNREFUSED", "::1:5000"), connect("ECONNREFUSED")]),
    code: "ECONNREFUSED",
    says: "connect ECONNREFUSED ::1:5000",
    ...doubtful
  },
  {
    what: "a refusal, and no route for IPv6",
    failure: fetchFailed(new AggregateError([connect("ENETUNREACH", "::1:5000"), connect("ECONNREFUSED")])),
    code: "ECONNREFUSED",
    says: "connect ECONNREFUSED 127.0.0.1:5000",
    ...doubtful
  },
  {
    what: "a refusal at one address, and no answer at another",
    failure: new AggregateError([connect("ECONNREFUSED"), connect("ETIMEDOUT", "::1:5000")]),
    code: "ETIMEDOUT",
    ...passing
  },
  { what: "no way to the host", failure: connect("EHOSTUNREACH"), code: "EHOSTUNREACH", ...doubtful },
  { what: "no local port that is free", failure: connect("EADDRNOTAVAIL"), code: "EADDRNOTAVAIL", ...passing },
  { what: "a network that is down", failure: connect("ENETDOWN"), code: "ENETDOWN", ...passing },
  {
    what: "a refusal, and no address of this machine for IPv6",
    failure: new AggregateError([connect("ECONNREFUSED"), connect("EADDRNOTAVAIL", "::1:5000")]),
    code: "ECONNREFUSED",
    ...doubtful
  },
  { what: "no way to the network", failure: connect("ENETUNREACH"), code: "ENETUNREACH", ...doubtful },
  {
    what: "a refusal on Deno",
    failure: fetchFailed(
      new Error(
        "error sending request for url (http://a/): client error (Connect): tcp connect error: Connection refused (os error 111)"
      )
    ),
    code: "ECONNREFUSED",
    ...doubtful
  },

  {
    what: "an unknown host",
    failure: nodeError("ENOTFOUND", "getaddrinfo ENOTFOUND registry.example", { syscall: "getaddrinfo" }),
    code: "ENOTFOUND",
    says: "registry.example",
    ...misled
  },
  {
    what: "an unknown host on Deno",
    failure: fetchFailed(
      new Error("client error (Connect): dns error: failed to lookup address information: Name or service not known")
    ),
    code: "ENOTFOUND",
    ...misled
  },
  {
    what: "a resolver that does not answer on Deno",
    failure: fetchFailed(
      new Error("dns error: failed to lookup address information: Temporary failure in name resolution")
    ),
    code: "EAI_AGAIN",
    ...passing
  },
  {
    what: "an untrusted certificate on Deno",
    failure: fetchFailed(new Error("client error (Connect): invalid peer certificate: UnknownIssuer")),
    code: "CERT_UNTRUSTED",
    problem: "UntrustedIssuer",
    ...lasting
  },
  ...[
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "UNABLE_TO_GET_ISSUER_CERT",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"
  ].map(untrusted),
  ...[
    "CERT_HAS_EXPIRED",
    "CERT_NOT_YET_VALID",
    "CERT_REVOKED",
    "UNABLE_TO_GET_CRL",
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "HOSTNAME_MISMATCH",
    "INVALID_PURPOSE",
    "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA"
  ].map(certificate),
  {
    what: "a server without TLS",
    failure: nodeError(
      "ERR_SSL_WRONG_VERSION_NUMBER",
      "40BD622DD17F0000:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../deps/openssl/a.c:77:"
    ),
    code: "ERR_SSL_WRONG_VERSION_NUMBER",
    says: "the server does not speak TLS; for plain http the endpoint begins with http://",
    problem: "WithoutTls",
    ...misled
  },
  {
    what: "a server without TLS on Deno",
    failure: fetchFailed(new Error("client error (Connect): received corrupt message of type InvalidContentType")),
    code: "ERR_SSL_WRONG_VERSION_NUMBER",
    says: "the server does not speak TLS",
    problem: "WithoutTls",
    ...misled
  },
  {
    what: "a server without TLS on Bun",
    failure: nodeError("EPROTO", "The TLS handshake failed"),
    code: "EPROTO",
    ...misled
  },
  {
    what: "a handshake without a common cipher",
    failure: nodeError(
      "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE",
      "40BD622DD17F0000:error:0A000410:SSL routines:ssl3_read_bytes:ssl/tls alert handshake failure:../deps/openssl/a.c:77:SSL alert number 40"
    ),
    code: "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE",
    says: "TransportError: ssl/tls alert handshake failure (",
    ...misled
  },
  {
    what: "a server of another protocol",
    failure: parserError("Response does not match the HTTP/1.1 protocol (Expected HTTP/, RTSP/ or ICE/)"),
    code: "HPE_INVALID_CONSTANT",
    codeAtFirst: "NOT_HTTP",
    says: "HTTP",
    ...misled
  },
  {
    what: "a server of another protocol, with a code",
    failure: fetchFailed(parserError("Expected HTTP/", "HPE_INVALID_CONSTANT")),
    code: "HPE_INVALID_CONSTANT",
    codeAtFirst: "NOT_HTTP",
    ...misled
  }
]

const read = Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties("alpine"))
const attempts = Effect.map(Journal, (journal) => journal.filter(({ url }) => url.pathname.startsWith("/acr/")).length)
const anonymous = { retry: policy, credentials: Credentials.layerAnonymous }

/** Fails after all attempts that the policy allows. */
const failing = <A, R>(effect: Effect.Effect<A, RegistryError, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.flip(effect))
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

const unavailable = (error: RegistryError): Unavailable => {
  assert.strictEqual(error.reason._tag, "Unavailable", error.message)
  return error.reason._tag === "Unavailable" ? error.reason : assert.fail()
}

const broken = (cause: Error) => () =>
  new Response(new ReadableStream({ pull: (controller) => controller.error(cause) }), { status: 200 })

const codeOf = (cause: Error) =>
  Effect.map(failing(read), (error) => unavailable(error).code).pipe(Effect.provide(registry(broken(cause), anonymous)))

describe("a connection that fails for", () => {
  for (const {
    attempts: [first, later],
    code,
    codeAtFirst = code,
    failure,
    problem,
    retryable,
    says,
    what
  } of rows) {
    it.effect(`${what} is tried ${first} times at the first contact`, () =>
      Effect.gen(function* () {
        const error = yield* failing(read)
        const reason = unavailable(error)
        assert.strictEqual(yield* attempts, first)
        assert.strictEqual(reason.code, codeAtFirst)
        assert.strictEqual(reason.problem, problem)
        assert.strictEqual(error.isRetryable, retryable)
        // The message says why there was no other attempt, unless that is clear from the code.
        assert.strictEqual(reason.firstContact ?? false, first === 1 && retryable)
        assert.strictEqual(error.message.includes("nothing has answered at this address yet"), first === 1 && retryable)
        if (says !== undefined) assert.include(error.message, says)
      }).pipe(Effect.provide(registry(() => failure, anonymous)))
    )

    it.effect(`${what} is tried ${later} times once the registry has answered`, () =>
      Effect.gen(function* () {
        yield* read
        const reason = unavailable(yield* failing(read))
        assert.strictEqual(reason.code, code)
        assert.isFalse(reason.firstContact)
        assert.strictEqual(reason.isRetryable, later > 1)
        assert.strictEqual(yield* attempts, 1 + later)
      }).pipe(Effect.provide(registry((_, count) => (count === 0 ? properties() : failure), anonymous)))
    )
  }

  const unsendable: ReadonlyArray<readonly [string, Error | HttpFailure]> = [
    ["an address that is none", { _tag: "InvalidUrlError", cause: nodeError("ERR_INVALID_URL", "Invalid URL") }],
    ["a body that cannot be encoded", { _tag: "EncodeError", cause: new Error("no") }],
    ["a header that cannot be sent", nodeError("UND_ERR_INVALID_ARG", "invalid authorization header")],
    ["a header that fetch refuses", new TypeError('Headers.append: "a" is an invalid header value.')]
  ]
  for (const [what, failure] of unsendable) {
    it.effect(`${what} is an invalid request, which is not retried`, () =>
      Effect.gen(function* () {
        const error = yield* failing(read)
        assert.strictEqual(error.reason._tag, "InvalidRequest")
        assert.isFalse(error.isRetryable)
        assert.strictEqual(yield* attempts, 1)
      }).pipe(Effect.provide(registry(() => failure, anonymous)))
    )
  }

  it.effect("a stalled answer has the library's own code", () =>
    Effect.gen(function* () {
      assert.strictEqual(unavailable(yield* failing(read)).code, "TIMEOUT")
    }).pipe(Effect.provide(registry(() => "stall", anonymous)))
  )

  it.effect("a body that breaks off has the code of its cause", () =>
    Effect.gen(function* () {
      const closed = nodeError("UND_ERR_SOCKET", "other side closed")
      assert.strictEqual(yield* codeOf(new TypeError("terminated", { cause: closed })), "UND_ERR_SOCKET")
      assert.strictEqual(yield* codeOf(new TypeError("terminated")), "TRUNCATED")
    })
  )

  it.effect("no secret of the request is in the message", () =>
    Effect.gen(function* () {
      const error = yield* failing(read)
      assert.notInclude(JSON.stringify(error) + error.message, "planted")
    }).pipe(
      Effect.provide(
        registry(
          ({ authorization }) =>
            authorization === undefined
              ? new Response(null, { status: 401, headers: { "www-authenticate": "Basic" } })
              : nodeError("UND_ERR_OTHER", `cannot send ${authorization} of planted-password`),
          {
            retry: policy,
            credentials: Credentials.layerPassword({ username: "contoso", password: Redacted.make("planted-password") })
          }
        )
      )
    )
  )
})

const outage = (failure: Error): Script => {
  let turn = 0
  return () => {
    turn++
    if (turn === 1) return properties()
    return turn === 2 ? failure : json({ manifestsDeleted: [], tagsDeleted: [] }, { status: 202 })
  }
}

/** The error of a second request. The first may have succeeded. */
const second = (options: { readonly endpoint?: string }, script: Script) =>
  failing(
    Effect.flatMap(ContainerRegistry, (registry) =>
      Effect.andThen(Effect.exit(registry.repositoryProperties("first")), registry.repositoryProperties("alpine"))
    )
  ).pipe(Effect.provide(registry(script, { ...anonymous, ...options })))

const says = (options: { readonly endpoint?: string }, script: Script) =>
  Effect.map(second(options, script), ({ message }) => message)

const problem = (options: { readonly endpoint?: string }, script: Script) =>
  Effect.map(second(options, script), (error) => unavailable(error).problem)

const laterOnly =
  (failure: Error): Script =>
  ({ url }) =>
    url.pathname.endsWith("first") ? properties() : failure

describe("the message", () => {
  const hint = "if the server speaks TLS, the endpoint begins with https://"
  const plain = { endpoint: "http://127.0.0.1:5000" }

  for (const failure of [nodeError("UND_ERR_SOCKET", "other side closed"), parserError("Expected HTTP/", "HPE_A")]) {
    it.effect(`of ${failure.message} mentions TLS, over plain http and at the first contact`, () =>
      Effect.gen(function* () {
        assert.include(yield* says(plain, () => failure), hint)
        assert.notInclude(yield* says({}, () => failure), hint)
        assert.notInclude(yield* says(plain, laterOnly(failure)), hint)
        assert.strictEqual(yield* problem(plain, () => failure), "ProbablyWithTls")
        assert.isUndefined(yield* problem({}, () => failure))
        assert.isUndefined(yield* problem(plain, laterOnly(failure)))
      })
    )
  }

  it.effect("explains a server without TLS, as old versions of Node report it", () =>
    Effect.gen(function* () {
      const failure = nodeError(
        "EPROTO",
        "write EPROTO 140:error:1408F10B:SSL routines:ssl3_get_record:wrong version number:a.c:332:"
      )
      assert.include(yield* says({}, () => failure), "the server does not speak TLS; for plain http")
      assert.strictEqual(yield* problem({}, () => failure), "WithoutTls")
    })
  )
})

it.effect("a connection that the HTTP client refuses to make is Refused, and not retried", () =>
  Effect.gen(function* () {
    const registry = yield* ContainerRegistry
    const error = yield* Effect.flip(registry.repositoryProperties("alpine"))
    assert.strictEqual(error.reason._tag, "Refused")
    assert.include(error.message, "leads to a private address")
    assert.isFalse(error.isRetryable)
    assert.strictEqual((yield* Journal).length, 1)
  }).pipe(
    Effect.provide(
      registry(() => fetchFailed(new AddressRefused("myregistry.azurecr.io leads to a private address")), {
        retry: patient
      })
    )
  )
)

describe("a request that was never sent", () => {
  const remove = Effect.flatMap(ContainerRegistry, (registry) => registry.deleteRepository("alpine"))
  it.effect("is sent even if it must not be repeated", () =>
    Effect.gen(function* () {
      yield* read
      const fiber = yield* Effect.forkChild(remove)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { manifests: [], tags: [] })
    }).pipe(Effect.provide(registry(outage(connect("ECONNREFUSED")), anonymous)))
  )

  it.effect("differs from one whose answer was lost", () =>
    Effect.gen(function* () {
      yield* read
      assert.strictEqual(unavailable(yield* failing(remove)).code, "ECONNRESET")
      assert.strictEqual(yield* attempts, 2)
    }).pipe(
      Effect.provide(registry(outage(nodeError("ECONNRESET", "read ECONNRESET", { syscall: "read" })), anonymous))
    )
  )

  it.effect("deletes nothing, so a tag that is missing afterwards is not found", () =>
    Effect.gen(function* () {
      yield* read
      const error = yield* failing(Effect.flatMap(ContainerRegistry, (registry) => registry.deleteTag("alpine", "v1")))
      assert.strictEqual(error.reason._tag, "NotFound")
    }).pipe(
      Effect.provide(
        registry(({ method }, count) => {
          if (method === "GET") return properties()
          return count === 0 ? connect("ECONNREFUSED") : new Response(null, { status: 404 })
        }, anonymous)
      )
    )
  )
})

describe("a transfer", () => {
  const bytes = "0123456789"
  const blob = `/v2/alpine/blobs/${sha256(bytes)}`
  const storage = "https://storage.example"
  const download = Effect.flatMap(RegistryContent, (content) => content.blobBytes("alpine", sha256(bytes)))
  const upload = Effect.flatMap(RegistryContent, (content) =>
    content.uploadBlob("alpine", BlobSource.fromString(bytes), { chunkSize: 5 })
  )
  const asked = Effect.map(Journal, (journal) => journal.length)
  const toStorage = () => new Response(null, { status: 307, headers: { location: `${storage}/blob` } })

  const transfers: ReadonlyArray<readonly [string, Effect.Effect<void, RegistryError, RegistryContent>, number]> = [
    ["a download", Effect.asVoid(download), 2],
    // The session is cancelled as well.
    ["an upload", Effect.asVoid(upload), 3]
  ]
  for (const [what, transfer, requests] of transfers) {
    it.effect(`${what} fails at once if nothing has ever answered`, () =>
      Effect.gen(function* () {
        assert.strictEqual(unavailable(yield* Effect.flip(transfer)).code, "ECONNREFUSED")
        assert.strictEqual(yield* asked, 1)
      }).pipe(Effect.provide(content(() => connect("ECONNREFUSED"))))
    )

    it.effect(`${what} fails at once for a certificate that has expired meanwhile`, () =>
      Effect.gen(function* () {
        assert.strictEqual(unavailable(yield* Effect.flip(transfer)).code, "CERT_HAS_EXPIRED")
        assert.strictEqual(yield* asked, requests)
      }).pipe(
        Effect.provide(
          content(({ method, url }) => {
            if (url.origin !== endpoint || method === "PATCH") return nodeError("CERT_HAS_EXPIRED", "no")
            return method === "POST"
              ? new Response(null, { status: 202, headers: { location: "/v2/alpine/blobs/uploads/s" } })
              : method === "DELETE"
                ? new Response(null, { status: 204 })
                : toStorage()
          })
        )
      )
    )
  }

  it.effect("survives a registry that restarts", () =>
    Effect.gen(function* () {
      assert.strictEqual(new TextDecoder().decode(yield* download), bytes)
      assert.strictEqual(new TextDecoder().decode(yield* download), bytes)
      assert.strictEqual(yield* asked, 4)
    }).pipe(
      Effect.provide(
        content((_, count) => (count === 1 || count === 2 ? connect("ECONNREFUSED") : new Response(bytes)), patient)
      )
    )
  )

  it.effect("requests another storage from the registry when one refuses connections", () =>
    Effect.gen(function* () {
      assert.strictEqual(new TextDecoder().decode(yield* download), bytes)
      assert.strictEqual(yield* asked, 4)
    }).pipe(
      Effect.provide(
        content(({ url }, count) =>
          url.pathname === blob ? toStorage() : count === 0 ? connect("ECONNREFUSED") : new Response(bytes)
        )
      )
    )
  )

  it.effect("that ends early has a code for it", () =>
    Effect.gen(function* () {
      const stream = Effect.flatMap(RegistryContent, (content) =>
        Stream.runDrain(content.blob("alpine", sha256(bytes)))
      )
      assert.strictEqual(unavailable(yield* Effect.flip(stream)).code, "TRUNCATED")
    }).pipe(Effect.provide(content(() => new Response("0123", { headers: { "content-length": "10" } }))))
  )
})
