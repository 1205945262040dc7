/**
 * Proxies: which requests go through one, where a registry may lead through it, and the errors of a proxy that refuses. The
 * proxy resolves all names; the local DNS knows a name only where a test says so.
 */
import { createServer, type Server } from "node:http"
import { inspect } from "node:util"
import * as Credentials from "@effect-acr/client/Credentials"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as RetryPolicy from "@effect-acr/client/RetryPolicy"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as HttpClient from "effect/http/HttpClient"
import { bypass } from "../src/internal/proxies.ts"
import * as NodeRegistryHttpClient from "../src/NodeRegistryHttpClient.ts"
import { connectProxy, refusing } from "./support/connectProxy.ts"
import { resolving } from "./support/resolver.ts"

const digest = `sha256:${"0".repeat(64)}`
const blob = `/v2/alpine/blobs/${digest}`
const here = ["127.0.0.1"]

interface Answered {
  readonly status: number
  readonly headers?: { readonly [name: string]: string }
}

/** A server of this machine, and its requests. */
const listen = (answer: (host: string) => Answered = () => ({ status: 200 })) =>
  Effect.acquireRelease(
    Effect.callback<{
      readonly server: Server
      readonly port: number
      readonly asked: Array<string>
      readonly headers: Array<string>
    }>((resume) => {
      const asked: Array<string> = []
      const headers: Array<string> = []
      const server = createServer((request, response) => {
        asked.push(`${request.headers.host?.split(":")[0]} ${request.method} ${request.url}`)
        headers.push(...Object.keys(request.headers))
        const { headers: answered, status } = answer(request.headers.host ?? "")
        response.writeHead(status, answered).end("inside")
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" ? (address?.port ?? 0) : 0
        resume(Effect.succeed({ server, port, asked, headers }))
      })
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

const environment = (env: { readonly [name: string]: string }) =>
  ConfigProvider.layer(ConfigProvider.fromEnv({ env: { ...env } }))

/** The HTTP client of an environment. */
const inEnvironment = (env: { readonly [name: string]: string }, options: NodeRegistryHttpClient.Options = {}) =>
  Layer.provide(NodeRegistryHttpClient.layerOptions(options), environment(env))

/** Downloads a blob, which fails at the latest when its bytes are not those of the digest. */
const downloading = Effect.gen(function* () {
  const content = yield* RegistryContent.RegistryContent
  return yield* Effect.flip(content.blobBytes("alpine", digest))
})

const registryAt = <E>(
  endpoint: string,
  client: Layer.Layer<HttpClient.HttpClient, E>,
  options: Partial<RegistryContent.Options> = {}
) =>
  RegistryContent.layer({ endpoint, allowInsecureHttp: true, retry: RetryPolicy.never, ...options }).pipe(
    Layer.provide([Credentials.layerAnonymous, client])
  )

const download = <E>(
  endpoint: string,
  client: Layer.Layer<HttpClient.HttpClient, E>,
  options: Partial<RegistryContent.Options> = {}
) => Effect.provide(downloading, registryAt(endpoint, client, options))

describe("a proxy of the environment", () => {
  const ways: ReadonlyArray<readonly [string, (proxy: string, other: string) => { readonly [name: string]: string }]> =
    [
      ["HTTP_PROXY", (proxy) => ({ HTTP_PROXY: `http://${proxy}` })],
      ["http_proxy", (proxy) => ({ http_proxy: `http://${proxy}/` })],
      ["HTTP_PROXY without a scheme", (proxy) => ({ HTTP_PROXY: proxy })],
      ["HTTP_PROXY rather than http_proxy", (proxy, other) => ({ HTTP_PROXY: proxy, http_proxy: other })],
      ["http_proxy where HTTP_PROXY is empty", (proxy) => ({ HTTP_PROXY: "", http_proxy: proxy })],
      [
        "http_proxy in a program of CGI, where HTTP_PROXY is a header",
        (proxy, other) => ({ REQUEST_METHOD: "GET", HTTP_PROXY: other, http_proxy: proxy })
      ]
    ]
  for (const [name, env] of ways) {
    it.live(`is that of ${name}, which connects by name`, () =>
      Effect.gen(function* () {
        const { asked, headers, port } = yield* listen()
        const proxy = yield* connectProxy({ leadsTo: port })
        const other = yield* connectProxy({ answers: refusing(500) })
        yield* resolving({})
        const error = yield* download("http://registry.example", inEnvironment(env(proxy.host, other.host)))
        // It came, and was not what it should be.
        assert.strictEqual(error.reason._tag, "ContentMismatch")
        assert.deepStrictEqual(proxy.asked, ["registry.example:80"])
        assert.deepStrictEqual([...other.asked, ...proxy.others], [])
        assert.deepStrictEqual(asked, [`registry.example GET ${blob}`])
        assert.notInclude(headers.join(), "proxy")
      })
    )
  }

  it.live("for https is that of HTTPS_PROXY, and no other", () =>
    Effect.gen(function* () {
      const plain = yield* connectProxy({ answers: refusing(403) })
      const secure = yield* connectProxy({ answers: refusing(403) })
      yield* resolving({})
      const client = inEnvironment({ HTTP_PROXY: plain.host, HTTPS_PROXY: secure.host })
      yield* download("https://registry.example", client)
      yield* download("https://registry.example:8443", client)
      assert.deepStrictEqual([plain.asked, secure.asked], [[], ["registry.example:443", "registry.example:8443"]])
      const only = inEnvironment({ HTTP_PROXY: plain.host })
      const error = yield* download("https://registry.example", only)
      assert.include(error.message, "registry.example is unknown")
      assert.deepStrictEqual(plain.asked, [])
    })
  )

  it.live("is not for a name of NO_PROXY, which is connected to directly", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* listen()
      const proxy = yield* connectProxy({ answers: refusing(500) })
      yield* resolving({ "registry.example": [here] })
      for (const name of ["NO_PROXY", "no_proxy"]) {
        const client = inEnvironment({ HTTP_PROXY: proxy.host, [name]: "localhost, .example" })
        yield* download(`http://registry.example:${port}`, client)
      }
      assert.deepStrictEqual(proxy.asked, [])
      assert.lengthOf(asked, 2)
    })
  )

  it.live("is not for a registry of this machine", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* listen()
      const proxy = yield* connectProxy({ answers: refusing(500) })
      for (const host of ["127.0.0.1", "localhost"]) {
        yield* download(`http://${host}:${port}`, inEnvironment({ HTTP_PROXY: proxy.host }))
      }
      assert.deepStrictEqual(proxy.asked, [])
      assert.lengthOf(asked, 2)
    })
  )

  it.live("is not used where the program says so", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* listen()
      const proxy = yield* connectProxy({ answers: refusing(500) })
      yield* resolving({ "registry.example": [here] })
      const client = inEnvironment({ HTTP_PROXY: proxy.host }, { proxy: "none" })
      yield* download(`http://registry.example:${port}`, client)
      assert.deepStrictEqual(proxy.asked, [])
      assert.lengthOf(asked, 1)
    })
  )

  for (const value of [
    "http://planted:word@",
    "socks5://planted:word@proxy.example",
    "http://planted:%zz@proxy",
    "http://user:12/34planted@proxy.example:3128",
    "a b"
  ]) {
    it.live(`that is invalid (${value.replace(/planted.*@/, "…@")}) is reported, and not shown`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Effect.scoped(Layer.build(inEnvironment({ HTTPS_PROXY: value }))))
        assert.strictEqual(error.reason._tag, "InvalidRequest")
        assert.include(error.message, "HTTPS_PROXY: it is not the URL of a proxy")
        assert.notInclude(inspect(error, { depth: Infinity }), value)
        assert.notInclude(inspect(error, { depth: Infinity }), "planted")
      })
    )
  }
})

describe("a proxy of the program", () => {
  it.live("is asked for every registry, also for one of this machine", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* listen()
      const proxy = yield* connectProxy()
      const other = yield* connectProxy({ answers: refusing(500) })
      const client = inEnvironment({ HTTP_PROXY: other.host }, { proxy: { url: proxy.host } })
      yield* download(`http://127.0.0.1:${port}`, client)
      assert.deepStrictEqual([proxy.asked, other.asked], [[`127.0.0.1:${port}`], []])
      assert.lengthOf(asked, 1)
    })
  )

  it.live("is not asked for other registries", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* listen()
      const proxy = yield* connectProxy({ answers: refusing(500) })
      const client = NodeRegistryHttpClient.layerOptions({ proxy: { url: proxy.host, noProxy: ["127.0.0.0/8"] } })
      yield* download(`http://127.0.0.1:${port}`, client)
      assert.deepStrictEqual(proxy.asked, [])
      assert.lengthOf(asked, 1)
    })
  )

  it.live("receives the login of its URL, which is sent nowhere else", () =>
    Effect.gen(function* () {
      const { headers, port } = yield* listen()
      const proxy = yield* connectProxy({ leadsTo: port })
      yield* resolving({})
      const url = Redacted.make(`http://user%40contoso:planted%2Fword:%C3%BC@${proxy.host}`)
      yield* download("http://registry.example", NodeRegistryHttpClient.layerOptions({ proxy: { url } }))
      const login = Buffer.from("user@contoso:planted/word:ü").toString("base64")
      assert.deepStrictEqual(proxy.logins, [`Basic ${login}`])
      assert.notInclude(headers.join(), "proxy")
      assert.notInclude(proxy.sent(), login)
    })
  )

  it.live("that is invalid is reported, and not shown", () =>
    Effect.gen(function* () {
      const client = NodeRegistryHttpClient.layerOptions({ proxy: { url: "ftp://planted:word@proxy.example" } })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(client)))
      assert.strictEqual(error.reason._tag, "InvalidRequest")
      assert.include(error.message, "proxy: it is not the URL of a proxy")
      assert.notInclude(inspect(error, { depth: Infinity }), "planted")
    })
  )

  it.live("connects once for several requests", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* listen()
      const proxy = yield* connectProxy({ leadsTo: port })
      yield* resolving({})
      const client = NodeRegistryHttpClient.layerOptions({ proxy: { url: proxy.host } })
      yield* Effect.provide(
        Effect.andThen(downloading, Effect.andThen(downloading, downloading)),
        registryAt("http://registry.example", client)
      )
      assert.deepStrictEqual(proxy.asked, ["registry.example:80"])
      assert.lengthOf(asked, 3)
    })
  )

  it.live("that does not answer is left when the client closes", () =>
    Effect.gen(function* () {
      const reached = yield* Latch.make()
      const proxy = yield* connectProxy({ answers: () => reached.openUnsafe() })
      yield* resolving({})
      const client = NodeRegistryHttpClient.layerOptions({ proxy: { url: proxy.host } })
      const waiting = yield* Effect.forkChild(download("http://registry.example", client))
      yield* reached.await
      assert.strictEqual(proxy.open(), 1)
      yield* Fiber.interrupt(waiting)
      yield* Effect.repeat(
        Effect.tap(Effect.sync(proxy.open), () => Effect.sleep("10 millis")),
        { until: (open) => open === 0 }
      )
    })
  )
})

/** A registry behind a proxy that leads its clients to an address. */
const ledTo = (location: string, names: Parameters<typeof resolving>[0] = {}) =>
  Effect.gen(function* () {
    const { asked, port } = yield* listen((host) =>
      host.startsWith("registry.") ? { status: 307, headers: { location, connection: "close" } } : { status: 200 }
    )
    const proxy = yield* connectProxy({ leadsTo: port })
    yield* resolving(names)
    const client = NodeRegistryHttpClient.layerOptions({ proxy: { url: proxy.host } })
    return { asked, client, proxy }
  })

describe("behind a proxy, a registry", () => {
  for (const [place, host] of [
    ["link-local", "169.254.169.254"],
    ["link-local", "[fd00:ec2::254]"],
    ["loopback", "127.0.0.1"],
    ["loopback", "[::1]"],
    ["loopback", "localhost"],
    ["loopback", "metadata.localhost"],
    ["private", "10.1.2.3"]
  ] as const) {
    it.live(`does not lead to ${host}`, () =>
      Effect.gen(function* () {
        const { client, proxy } = yield* ledTo(`http://${host}/latest/meta-data`)
        const error = yield* download("http://registry.example", client)
        assert.strictEqual(error.reason._tag, "Refused")
        assert.include(error.message, place)
        assert.deepStrictEqual(proxy.asked, ["registry.example:80"])
      })
    )
  }

  const inside: ReadonlyArray<readonly [string, ReadonlyArray<string>, string]> = [
    ["the metadata service", ["169.254.169.254"], "link-local"],
    ["this machine", ["127.0.0.1"], "loopback"],
    ["a private network", ["10.1.2.3"], "private"],
    // The proxy chooses between them.
    ["the metadata service, among others", ["20.60.1.1", "169.254.169.254"], "public and link-local"]
  ]
  for (const [name, addresses, place] of inside) {
    it.live(`does not lead to a name of ${name}`, () =>
      Effect.gen(function* () {
        const { client, proxy } = yield* ledTo("http://inside.example/", { "inside.example": [addresses] })
        const error = yield* download("http://registry.example", client)
        assert.strictEqual(error.reason._tag, "Refused")
        assert.include(error.message, `inside.example leads to a ${place} address, and the registry is not there`)
        assert.deepStrictEqual(proxy.asked, ["registry.example:80"])
      })
    )
  }

  for (const [name, names] of [
    ["is public", { "storage.example": [["20.60.1.1"]] }],
    ["this machine does not know", {}]
  ] as const) {
    it.live(`leads to a name that ${name}`, () =>
      Effect.gen(function* () {
        const { asked, client, proxy } = yield* ledTo("http://storage.example/blob", names)
        const error = yield* download("http://registry.example", client)
        assert.strictEqual(error.reason._tag, "ContentMismatch")
        assert.deepStrictEqual(proxy.asked, ["registry.example:80", "storage.example:80"])
        assert.deepStrictEqual(asked, [`registry.example GET ${blob}`, "storage.example GET /blob"])
      })
    )
  }

  it.live("counts as public, whatever DNS says of its name", () =>
    Effect.gen(function* () {
      const { client, proxy } = yield* ledTo("http://10.1.2.4/", { "registry.example": [["10.1.2.3"]] })
      const error = yield* download("http://registry.example", client)
      assert.strictEqual(error.reason._tag, "Refused")
      assert.deepStrictEqual(proxy.asked, ["registry.example:80"])
    })
  )

  it.live("may be private, also when it is connected to again", () =>
    Effect.gen(function* () {
      const { asked, client } = yield* ledTo("http://registry.example/again", {
        "registry.example": [["10.1.2.3"]]
      })
      yield* download("http://registry.example", client)
      assert.isAbove(asked.length, 1)
    })
  )

  it.live("does not lead elsewhere by its own name", () =>
    Effect.gen(function* () {
      const { asked, client, proxy } = yield* ledTo("http://registry.example/latest/meta-data", {
        "registry.example": [["20.60.1.1"], ["169.254.169.254"]]
      })
      const error = yield* download("http://registry.example", client)
      assert.strictEqual(error.reason._tag, "Refused")
      assert.include(error.message, "registry.example leads to a link-local address")
      assert.deepStrictEqual(proxy.asked, ["registry.example:80"])
      assert.lengthOf(asked, 1)
    })
  )

  it.live("that has an address leads to others of its place", () =>
    Effect.gen(function* () {
      const storage = yield* listen()
      const { port } = yield* listen(() => ({
        status: 307,
        headers: { location: `http://127.0.0.1:${storage.port}/blob` }
      }))
      const proxy = yield* connectProxy()
      const client = NodeRegistryHttpClient.layerOptions({ proxy: { url: proxy.host } })
      const error = yield* download(`http://127.0.0.1:${port}`, client)
      assert.strictEqual(error.reason._tag, "ContentMismatch")
      assert.deepStrictEqual(proxy.asked, [`127.0.0.1:${port}`, `127.0.0.1:${storage.port}`])
    })
  )

  it.live("leads wherever the user says", () =>
    Effect.gen(function* () {
      const { client, proxy } = yield* ledTo("http://inside.example/", { "inside.example": [["10.1.2.3"]] })
      const error = yield* download("http://registry.example", client, { allowedHosts: ["inside.example"] })
      assert.strictEqual(error.reason._tag, "ContentMismatch")
      assert.deepStrictEqual(proxy.asked, ["registry.example:80", "inside.example:80"])
    })
  )

  it.live("does not wait for a resolver that never answers", () =>
    Effect.gen(function* () {
      const { client } = yield* ledTo("http://storage.example/blob", { "storage.example": "silent" })
      const error = yield* download("http://registry.example", client)
      assert.strictEqual(error.reason._tag, "ContentMismatch")
    })
  )
})

/** The result of a request through a proxy with this behaviour. */
const failing = (answers: Parameters<typeof connectProxy>[0], login = "") =>
  Effect.gen(function* () {
    const proxy = yield* connectProxy(answers)
    yield* resolving({})
    const url = Redacted.make(`http://${login}${proxy.host}`)
    const error = yield* download("http://registry.example", NodeRegistryHttpClient.layerOptions({ proxy: { url } }), {
      retry: { ...RetryPolicy.never, schedule: Schedule.recurs(1) }
    })
    return { attempts: proxy.asked.length, error, proxy: proxy.host }
  })

const shown = ({ reason }: RegistryError, proxy: string) =>
  `${reason._tag}: ${reason.message.replaceAll(proxy, "PROXY")}${reason.isRetryable ? ", may be retried" : ""}`

describe("a proxy that", () => {
  const refusals: ReadonlyArray<readonly [string, number, string, string]> = [
    ["wants a login", 407, "", "Refused: the proxy PROXY requires a login (407): add it to the URL of the proxy"],
    ["refuses a login", 407, "planted:word@", "Refused: the proxy PROXY refuses its login (407)"],
    ["forbids a host", 403, "", "Refused: the proxy PROXY refuses to connect to registry.example:80 (403)"],
    ["tunnels nowhere", 405, "", "Refused: the proxy PROXY refuses to connect to registry.example:80 (405)"]
  ]
  for (const [name, status, login, expected] of refusals) {
    it.live(`${name} (${status}) is not asked again`, () =>
      Effect.gen(function* () {
        const { attempts, error, proxy } = yield* failing({ answers: refusing(status) }, login)
        assert.strictEqual(shown(error, proxy), expected)
        assert.strictEqual(attempts, 1)
        assert.notInclude(inspect(error, { depth: Infinity, showHidden: true }), "planted")
      })
    )
  }

  const failures: ReadonlyArray<readonly [string, Parameters<typeof connectProxy>[0], string]> = [
    [
      "can't connect (502)",
      { answers: refusing(502) },
      "Unavailable: TransportError: the proxy PROXY could not connect to registry.example:80 (502), may be retried"
    ],
    [
      "is busy (429)",
      { answers: refusing(429) },
      "Unavailable: TransportError: the proxy PROXY could not connect to registry.example:80 (429), may be retried"
    ],
    [
      "hangs up",
      { answers: (_, socket) => void socket.destroy() },
      "Unavailable: TransportError: the proxy PROXY closed the connection, may be retried"
    ],
    [
      "speaks something else",
      { answers: (_, socket) => void socket.end("220 mail.example\r\n") },
      "Unavailable: TransportError: the proxy PROXY did not answer in HTTP, may be retried"
    ],
    [
      // undici would connect again and again, until the attempt ends by its timeout.
      "sends more than its answer",
      { answers: (_, socket) => void socket.write("HTTP/1.1 200 OK\r\n\r\n<html>") },
      "Unavailable: TransportError: the proxy PROXY sent other bytes than those of registry.example:80, may be retried"
    ]
  ]
  for (const [name, behaviour, expected] of failures) {
    it.live(`${name} is asked again`, () =>
      Effect.gen(function* () {
        const { attempts, error, proxy } = yield* failing(behaviour)
        assert.strictEqual(shown(error, proxy), expected)
        assert.strictEqual(attempts, 2)
      })
    )
  }

  it.live("speaks no TLS is named", () =>
    Effect.gen(function* () {
      const proxy = yield* connectProxy()
      yield* resolving({})
      const client = NodeRegistryHttpClient.layerOptions({ proxy: { url: `https://${proxy.host}` } })
      const error = yield* download("http://registry.example", client)
      assert.include(error.message, `the proxy ${proxy.host} does not speak TLS`)
    })
  )

  it.live("is not there is named", () =>
    Effect.gen(function* () {
      yield* resolving({})
      // Nothing listens on port 1.
      const down = NodeRegistryHttpClient.layerOptions({ proxy: { url: "http://127.0.0.1:1" } })
      const refused = yield* download("http://registry.example", down)
      assert.include(refused.message, "the proxy 127.0.0.1:1 can't be reached: connect ECONNREFUSED 127.0.0.1:1")
      const nowhere = NodeRegistryHttpClient.layerOptions({ proxy: { url: "http://proxy.example:3128" } })
      const unknown = yield* download("http://registry.example", nowhere)
      assert.include(unknown.message, "the proxy proxy.example:3128 can't be reached: proxy.example is unknown")
    })
  )
})

describe("NO_PROXY", () => {
  const cases: ReadonlyArray<readonly [string, string, boolean]> = [
    ["", "https://registry.example", false],
    ["*", "https://registry.example", true],
    ["registry.example", "https://registry.example", true],
    ["REGISTRY.example.", "https://registry.EXAMPLE", true],
    ["registry.example", "https://registry.example.", true],
    ["registry.example", "https://eu.registry.example", true],
    ["registry.example", "https://myregistry.example", false],
    ["registry.example", "https://registry.example.evil", false],
    [".registry.example", "https://eu.registry.example", true],
    [".registry.example", "https://registry.example", false],
    ["*.registry.example", "https://eu.registry.example", true],
    ["*.registry.example", "https://registry.example", false],
    ["a.example, registry.example", "https://registry.example", true],
    ["a.example registry.example", "https://registry.example", true],
    ["registry.example:443", "https://registry.example", true],
    ["registry.example:443", "https://registry.example:8443", false],
    ["registry.example:80", "http://registry.example", true],
    [".example:8443", "https://registry.example:8443", true],
    ["10.1.2.3", "https://10.1.2.3", true],
    ["10.1.2.3", "https://10.1.2.30", false],
    ["10.1.2.3:5000", "https://10.1.2.3:5000", true],
    ["10.1.2.3:5000", "https://10.1.2.3", false],
    ["10.0.0.0/8", "https://10.200.3.4", true],
    ["10.0.0.0/8", "https://11.0.0.1", false],
    ["10.0.0.0/8", "https://registry.example", false],
    ["10.0.0.0/99", "https://10.200.3.4", false],
    ["fd00::/8", "https://[fd12:3456::1]", true],
    ["fd00::/8", "https://[fe80::1]", false],
    ["2001:db8::1", "https://[2001:db8:0::1]", true],
    ["[2001:db8::1]", "https://[2001:db8::1]", true],
    ["[2001:db8::1]:8443", "https://[2001:db8::1]:8443", true],
    ["[2001:db8::1]:8443", "https://[2001:db8::1]", false],
    [":443", "https://registry.example", false],
    [".", "https://registry.example", false]
  ]
  for (const [rules, url, direct] of cases) {
    it(`of ${JSON.stringify(rules)} is ${direct ? "" : "not "}for ${url}`, () => {
      assert.strictEqual(bypass([rules])(new URL(url)), direct)
    })
  }
})
