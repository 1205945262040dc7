/**
 * Where a name leads is seen when it is dialled. `outboundNamespace.test.ts` does the same with real addresses of all
 * kinds; here everything is on this machine, and nothing else is ever dialled.
 */
import { createServer, type Server } from "node:http"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Outbound from "@effect-acr/client/Outbound"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as RetryPolicy from "@effect-acr/client/RetryPolicy"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpClient from "effect/http/HttpClient"
import { Agent } from "undici/index.js"
import * as NodeRegistryHttpClient from "../src/NodeRegistryHttpClient.ts"
import { resolving } from "./support/resolver.ts"

const digest = `sha256:${"0".repeat(64)}`

interface Answered {
  readonly status: number
  readonly headers?: { readonly [name: string]: string }
}

/** A server on this machine, and its requests. */
const listen = (answer: (host: string, port: number) => Answered) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: Server; readonly port: number; readonly asked: Array<string> }>((resume) => {
      const asked: Array<string> = []
      const server = createServer((request, response) => {
        asked.push(`${request.headers.host?.split(":")[0]} ${request.method} ${request.url}`)
        const { headers, status } = answer(request.headers.host ?? "", request.socket.localPort ?? 0)
        response.writeHead(status, headers).end("inside")
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed({ server, port: typeof address === "object" ? (address?.port ?? 0) : 0, asked }))
      })
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

/** The environment that runs the tests may name a proxy. */
const direct = NodeRegistryHttpClient.layerOptions({ proxy: "none" })

const layer = (
  registry: string,
  options: Partial<RegistryContent.Options> = {},
  client: Layer.Layer<HttpClient.HttpClient, RegistryError> = direct
) =>
  RegistryContent.layer({ endpoint: registry, allowInsecureHttp: true, retry: RetryPolicy.never, ...options }).pipe(
    Layer.provide([Credentials.layerAnonymous, client])
  )

/** Downloads a blob, which fails at the latest when its bytes are not those of the digest. */
const downloading = Effect.gen(function* () {
  const content = yield* RegistryContent.RegistryContent
  return yield* Effect.flip(content.blobBytes("alpine", digest))
})

const download = (...registry: Parameters<typeof layer>) => Effect.provide(downloading, layer(...registry))

const leads = (location: string, connection = "keep-alive"): Answered => ({
  status: 307,
  headers: { location, connection }
})

/** A registry that keeps its blobs at another name. */
const leadingTo = (name: string) =>
  listen((host, port) => (host.startsWith("registry.") ? leads(`http://${name}:${port}/blob`) : { status: 200 }))

const here = ["127.0.0.1"]
const asksRegistry = `registry.example GET /v2/alpine/blobs/${digest}`

describe("a registry that leads to a name", () => {
  it.live("of the place where it is itself is followed there", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* leadingTo("storage.example")
      yield* resolving({ "registry.example": [here], "storage.example": [here] })
      const error = yield* download(`http://registry.example:${port}`)
      // It came, and was not what it should be.
      assert.strictEqual(error.reason._tag, "ContentMismatch")
      assert.deepStrictEqual(asked, [asksRegistry, "storage.example GET /blob"])
    })
  )

  for (const [place, address] of [
    ["link-local", "169.254.169.254"],
    ["link-local", "168.63.129.16"],
    ["private", "10.1.2.3"]
  ] as const) {
    it.live(`of a ${place} address (${address}) is not, and nothing is dialled`, () =>
      Effect.gen(function* () {
        const { asked, port } = yield* leadingTo("inside.example")
        yield* resolving({ "registry.example": [here], "inside.example": [[address]] })
        const error = yield* download(`http://registry.example:${port}`)
        assert.strictEqual(error.reason._tag, "Refused")
        assert.include(error.message, `inside.example leads to a ${place} address, and the registry is not there`)
        assert.deepStrictEqual(asked, [asksRegistry])
      })
    )
  }

  it.live("of several addresses is followed to those where it is itself", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* leadingTo("storage.example")
      yield* resolving({ "registry.example": [here], "storage.example": [["10.1.2.3", "127.0.0.1"]] })
      const error = yield* download(`http://registry.example:${port}`)
      assert.strictEqual(error.reason._tag, "ContentMismatch")
      assert.deepStrictEqual(asked, [asksRegistry, "storage.example GET /blob"])
    })
  )

  it.live("of which all addresses are elsewhere is refused with all of them", () =>
    Effect.gen(function* () {
      const { port } = yield* leadingTo("inside.example")
      yield* resolving({ "registry.example": [here], "inside.example": [["10.1.2.3", "169.254.169.254", "fd00::1"]] })
      const error = yield* download(`http://registry.example:${port}`)
      assert.include(error.message, "inside.example leads to a private and link-local address")
    })
  )

  it.live("that is unknown is unavailable", () =>
    Effect.gen(function* () {
      const { port } = yield* leadingTo("storage.example")
      yield* resolving({ "registry.example": [here] })
      const error = yield* download(`http://registry.example:${port}`)
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.include(error.message, "storage.example is unknown")
    })
  )

  it.live("is followed wherever the user says", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* leadingTo("storage.example")
      yield* resolving({ "registry.example": [here], "storage.example": [here] })
      yield* download(`http://registry.example:${port}`, { allowedHosts: ["storage.example"] })
      assert.lengthOf(asked, 2)
    })
  )
})

describe("a registry whose own name leads somewhere else later", () => {
  it.live("is not followed there by a redirect to itself", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* listen((host) => leads(`http://${host}/latest/meta-data`, "close"))
      yield* resolving({ "registry.example": [here, ["169.254.169.254"]] })
      const error = yield* download(`http://registry.example:${port}`)
      assert.strictEqual(error.reason._tag, "Refused")
      assert.include(
        error.message,
        "registry.example leads to a link-local address, but the registry was reached at a loopback one before"
      )
      assert.deepStrictEqual(asked, [asksRegistry])
    })
  )

  it.live("is still reached by its open connection", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* listen(() => ({ status: 200 }))
      const lookedUp = yield* resolving({ "registry.example": [here, ["10.1.2.3"]] })
      yield* Effect.provide(Effect.all([downloading, downloading]), layer(`http://registry.example:${port}`))
      assert.deepStrictEqual(asked, [asksRegistry, asksRegistry])
      assert.deepStrictEqual(lookedUp, ["registry.example"])
    })
  )

  it.live("is asked where it was as long as that is one of its addresses", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* listen(() => ({ status: 200, headers: { connection: "close" } }))
      yield* resolving({ "registry.example": [here, ["10.1.2.3", "127.0.0.1"]] })
      yield* Effect.provide(Effect.all([downloading, downloading]), layer(`http://registry.example:${port}`))
      assert.deepStrictEqual(asked, [asksRegistry, asksRegistry])
    })
  )
})

/** A registry that keeps its blobs on another port of its host. */
const leadingToPort = (port: number) => listen(() => leads(`http://registry.example:${port}/blob`))

describe("another port of the registry's host", () => {
  it.live("is followed where the registry is", () =>
    Effect.gen(function* () {
      const storage = yield* listen(() => ({ status: 200 }))
      const { port } = yield* leadingToPort(storage.port)
      yield* resolving({ "registry.example": [here] })
      yield* download(`http://registry.example:${port}`)
      assert.deepStrictEqual(storage.asked, ["registry.example GET /blob"])
    })
  )

  it.live("is another server: its address is looked at", () =>
    Effect.gen(function* () {
      const { port } = yield* leadingToPort(80)
      yield* resolving({ "registry.example": [here, ["169.254.169.254"]] })
      const error = yield* download(`http://registry.example:${port}`)
      assert.strictEqual(error.reason._tag, "Refused")
      assert.include(error.message, "registry.example leads to a link-local address, and the registry is not there")
    })
  )
})

describe("a dispatcher of the program", () => {
  /** Takes every name for one of this machine. */
  const dispatcher = Effect.acquireRelease(
    Effect.sync(
      () =>
        new Agent({ connect: { lookup: (_, __, callback) => callback(null, [{ address: "127.0.0.1", family: 4 }]) } })
    ),
    (agent) => Effect.promise(() => agent.destroy())
  )

  it.live("connects, and is not closed with the layer", () =>
    Effect.gen(function* () {
      const agent = yield* dispatcher
      const { asked, port } = yield* listen(() => ({ status: 200 }))
      for (let time = 0; time < 2; time++) {
        const client = NodeRegistryHttpClient.layerDispatcher(agent)
        const error = yield* download(`http://registry.example:${port}`, {}, client)
        assert.strictEqual(error.reason._tag, "ContentMismatch")
      }
      assert.deepStrictEqual(asked, [asksRegistry, asksRegistry])
    })
  )

  it.live("refuses redirects to addresses, and follows those to names", () =>
    Effect.gen(function* () {
      const client = NodeRegistryHttpClient.layerDispatcher(yield* dispatcher)
      const storage = yield* listen(() => ({ status: 200 }))
      const byAddress = yield* listen(() => leads(`http://127.0.0.1:${storage.port}/blob`))
      const refused = yield* download(`http://registry.example:${byAddress.port}`, {}, client)
      assert.strictEqual(refused.reason._tag, "Refused")
      assert.deepStrictEqual(storage.asked, [])

      const byName = yield* listen(() => leads(`http://inside.example:${storage.port}/blob`))
      yield* download(`http://registry.example:${byName.port}`, {}, client)
      assert.deepStrictEqual(storage.asked, ["inside.example GET /blob"])
    })
  )
})

describe("a trusted realm", () => {
  it.live("is an origin: another port of its host is not trusted", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* listen((host) =>
        host.startsWith("registry.") ? leads("http://auth.example:8080/blob") : { status: 200 }
      )
      yield* resolving({ "registry.example": [here], "auth.example": [["10.1.2.3"]] })
      const error = yield* download(`http://registry.example:${port}`, { trustedRealms: ["http://auth.example"] })
      assert.strictEqual(error.reason._tag, "Refused")
      assert.deepStrictEqual(asked, [asksRegistry])
    })
  )
})

/** Sends a request as the transport does it for a registry. */
const get = (url: string, relation: Outbound.Relation, registry: string) =>
  Effect.flatMap(HttpClient.get(url), ({ text }) => text).pipe(
    Effect.provideService(Outbound.CurrentDestination, { registry, relation })
  )

describe("a request on behalf of a registry", () => {
  it.live("does not use the connection that another registry was allowed", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* leadingTo("storage.example")
      yield* resolving({ "registry.example": [here], "storage.example": [here] })
      const registry = `http://registry.example:${port}`
      const blob = `http://storage.example:${port}/blob`
      yield* get(registry, "registry", registry)
      assert.strictEqual(yield* get(blob, "other", registry), "inside")
      // The connection is kept, and is of no use to a registry that is out there.
      const error = yield* Effect.flip(get(blob, "other", "https://elsewhere.example"))
      assert.include(String(error.cause), "storage.example leads to a loopback address")
      assert.deepStrictEqual(asked, ["registry.example GET /", "storage.example GET /blob"])
    }).pipe(Effect.provide(direct))
  )

  it.live("to an address is refused before it is dialled", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* listen(() => ({ status: 200 }))
      const error = yield* Effect.flip(get(`http://127.0.0.1:${port}/`, "other", "https://registry.example"))
      assert.include(String(error.cause), "127.0.0.1 leads to a loopback address, and the registry is not there")
      assert.deepStrictEqual(asked, [])
    }).pipe(Effect.provide(direct))
  )

  it.live("counts the registry as public until a connection to it was made, whatever DNS says", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* leadingTo("storage.example")
      // Nothing listens on port 1.
      const registry = "http://registry.example:1"
      yield* resolving({ "registry.example": [here], "storage.example": [here] })
      const failed = yield* Effect.flip(get(registry, "registry", registry))
      assert.include(String(failed.cause), "ECONNREFUSED")
      const error = yield* Effect.flip(get(`http://storage.example:${port}/blob`, "other", registry))
      assert.include(String(error.cause), "storage.example leads to a loopback address")
      assert.deepStrictEqual(asked, [])
    }).pipe(Effect.provide(direct))
  )
})
