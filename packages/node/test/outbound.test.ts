/**
 * Where a name leads is seen when it is dialled.
 */
import dns from "node:dns"
import { createServer, type Server } from "node:http"
import { syncBuiltinESMExports } from "node:module"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Outbound from "@effect-acr/client/Outbound"
import * as RetryPolicy from "@effect-acr/client/RetryPolicy"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpClient from "effect/http/HttpClient"
import * as NodeRegistryHttpClient from "../src/NodeRegistryHttpClient.ts"

const digest = `sha256:${"0".repeat(64)}`

/** A server on this machine, and what it was asked. */
const listen = (answer: (host: string, port: number) => { readonly status: number; readonly location?: string }) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: Server; readonly port: number; readonly asked: Array<string> }>((resume) => {
      const asked: Array<string> = []
      const server = createServer((request, response) => {
        asked.push(`${request.headers.host?.split(":")[0]} ${request.method} ${request.url}`)
        const { location, status } = answer(request.headers.host ?? "", request.socket.localPort ?? 0)
        response.writeHead(status, location === undefined ? {} : { location }).end("inside")
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

/** A resolver that knows these names alone. */
const resolver =
  (names: { readonly [name: string]: string }) =>
  (hostname: string, _: unknown, callback: (...result: ReadonlyArray<unknown>) => void) => {
    const address = names[hostname]
    setImmediate(() =>
      address === undefined
        ? callback(new Error(`${hostname} is not known`), [])
        : callback(null, [{ address, family: 4 }])
    )
  }

const setLookup = (lookup: unknown) =>
  Effect.sync(() => {
    Object.assign(dns, { lookup })
    syncBuiltinESMExports()
  })

/** Lets names lead to addresses of the test's choice for as long as the scope lasts. */
const resolving = (names: { readonly [name: string]: string }) =>
  Effect.acquireRelease(
    Effect.suspend(() => Effect.as(setLookup(resolver(names)), dns.lookup)),
    setLookup
  )

/** Downloads from a registry that leads to a host. */
const download = (registry: string, options: Partial<RegistryContent.Options> = {}) =>
  Effect.gen(function* () {
    const content = yield* RegistryContent.RegistryContent
    return yield* Effect.flip(content.blobBytes("alpine", digest))
  }).pipe(
    Effect.provide(
      RegistryContent.layer({ endpoint: registry, allowInsecureHttp: true, retry: RetryPolicy.never, ...options }).pipe(
        Layer.provide([Credentials.layerAnonymous, NodeRegistryHttpClient.layer])
      )
    )
  )

/** A registry that keeps its blobs at another name. */
const leadingTo = (name: string) =>
  listen((host, port) =>
    host.startsWith("registry.") ? { status: 307, location: `http://${name}:${port}/blob` } : { status: 200 }
  )

describe("a registry that leads to a name", () => {
  it.live("of the place where it is itself is followed there", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* leadingTo("storage.example")
      yield* resolving({ "registry.example": "127.0.0.1", "storage.example": "127.0.0.1" })
      const error = yield* download(`http://registry.example:${port}`)
      // It came, and was not what it should be.
      assert.strictEqual(error.reason._tag, "ContentMismatch")
      assert.deepStrictEqual(asked, [`registry.example GET /v2/alpine/blobs/${digest}`, "storage.example GET /blob"])
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
        yield* resolving({ "registry.example": "127.0.0.1", "inside.example": address })
        const error = yield* download(`http://registry.example:${port}`)
        assert.strictEqual(error.reason._tag, "Refused")
        assert.include(error.message, `inside.example leads to a ${place} address, and the registry is not there`)
        assert.deepStrictEqual(asked, [`registry.example GET /v2/alpine/blobs/${digest}`])
      })
    )
  }

  it.live("that a registry elsewhere was led to before is looked at anew", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* leadingTo("storage.example")
      yield* resolving({ "registry.example": "127.0.0.1", "storage.example": "127.0.0.1" })
      const client = yield* Layer.build(NodeRegistryHttpClient.layer)
      const get = (registry: string) =>
        Effect.flatMap(HttpClient.get(`http://storage.example:${port}/blob`), ({ text }) => text).pipe(
          Effect.provideService(Outbound.CurrentDestination, { registry, isNamed: false }),
          Effect.provideContext(client)
        )
      // Its connection is kept, and is of no use to a registry that is out there.
      assert.strictEqual(yield* get("127.0.0.1"), "inside")
      const error = yield* Effect.flip(get("20.60.1.1"))
      assert.include(String(error.cause), "leads to a loopback address")
      assert.deepStrictEqual(asked, ["storage.example GET /blob"])
    })
  )

  it.live("is followed wherever the user says", () =>
    Effect.gen(function* () {
      const { asked, port } = yield* leadingTo("storage.example")
      yield* resolving({ "registry.example": "127.0.0.1", "storage.example": "127.0.0.1" })
      yield* download(`http://registry.example:${port}`, { allowedHosts: ["storage.example"] })
      assert.lengthOf(asked, 2)
    })
  )
})
