/**
 * What counts is the address at the other end of a connection. The sockets are played, so that they can be anywhere.
 */
import { EventEmitter } from "node:events"
import { createServer, Socket } from "node:net"
import type * as Outbound from "@effect-acr/client/Outbound"
import { assert, describe, it } from "@effect/vitest"
import type { buildConnector } from "undici/index.js"
import * as Effect from "effect/Effect"
import { judging, through } from "../src/internal/dial.ts"
import * as Places from "../src/internal/places.ts"
import { resolving } from "./support/resolver.ts"

/** A socket that is connected to an address, or was closed before it could be asked for one. */
const connectedTo = (remoteAddress: string | undefined): Socket =>
  Object.defineProperty(new Socket(), "remoteAddress", { value: remoteAddress })

const target = { hostname: "registry.example", protocol: "https:", port: "443" }

/** What a gate says of proxies, which are not asked here. */
const ofProxies = { allowsAny: () => assert.fail("asked"), onTunnelled: () => assert.fail("told") }

/** Judges a connection by a gate that lets public addresses pass. */
const judged = (connect: buildConnector.connector, hostname = target.hostname) => {
  const passed: Array<Outbound.Reach> = []
  const gate = {
    allows: (reach: Outbound.Reach) => reach === "public",
    why: () => "and that is all",
    onConnected: (reach: Outbound.Reach) => passed.push(reach),
    ...ofProxies
  }
  const results: Array<Error | Socket | null> = []
  judging(connect, gate)({ ...target, hostname }, (error, socket) => results.push(error ?? socket))
  return { passed, outcome: results.map((result) => (result instanceof Socket ? "connected" : String(result))) }
}

describe("a connection", () => {
  it("to an address that is allowed is used, and made known", () => {
    const { outcome, passed } = judged((_, callback) => callback(null, connectedTo("20.60.1.1")))
    assert.deepStrictEqual([outcome, passed], [["connected"], ["public"]])
  })

  it.each([
    ["10.9.9.9", "private"],
    ["::ffff:169.254.169.254", "link-local"],
    ["127.0.0.1", "loopback"],
    ["garbage", "loopback"]
  ])("to %s is closed, whatever was looked up before", (address, reach) => {
    const socket = connectedTo(address)
    const { outcome, passed } = judged((_, callback) => callback(null, socket))
    assert.deepStrictEqual(outcome, [`AddressRefused: registry.example leads to a ${reach} address, and that is all`])
    assert.deepStrictEqual(passed, [])
    assert.isTrue(socket.destroyed)
  })

  it("that was closed at once leads nowhere, so that it can be tried again", () => {
    const { outcome, passed } = judged((_, callback) => callback(null, connectedTo(undefined)))
    assert.deepStrictEqual(outcome, ["Error: the connection to registry.example was closed at once"])
    assert.deepStrictEqual(passed, [])
  })

  it("that failed says why", () => {
    const { outcome } = judged((_, callback) => callback(new Error("ECONNREFUSED"), null))
    assert.deepStrictEqual(outcome, ["Error: ECONNREFUSED"])
  })

  it("to a forbidden address is not even made", () => {
    const { outcome } = judged(() => assert.fail("dialled"), "10.9.9.9")
    assert.deepStrictEqual(outcome, ["AddressRefused: 10.9.9.9 leads to a private address, and that is all"])
  })
})

describe("a dial", () => {
  it.live("that tries a single address tries one that is allowed", () =>
    Effect.gen(function* () {
      const server = createServer((socket) => socket.end())
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () => Effect.sync(() => server.close())
      )
      yield* resolving({ "registry.example": [["10.9.9.9", "127.0.0.1"]] })
      const address = server.address()
      const port = typeof address === "object" ? String(address?.port) : ""
      const gate = {
        allows: (reach: Outbound.Reach) => reach === "loopback",
        why: () => "",
        onConnected: () => {},
        ...ofProxies
      }
      const dial = through(gate, { port: 0, autoSelectFamily: false })
      const remote = yield* Effect.callback<string | undefined>((resume) =>
        dial({ ...target, protocol: "http:", port }, (error, socket) => {
          resume(Effect.succeed(error?.message ?? socket?.remoteAddress))
          socket?.destroy()
        })
      )
      assert.strictEqual(remote, "127.0.0.1")
    })
  )
})

class Connection extends EventEmitter {
  reasons: Array<string> = []
  destroy(error?: Error) {
    this.reasons.push(error?.message ?? "")
    this.emit("close")
  }
}

const connect = (places: Places.Places, origin: string, reach: Outbound.Reach) => {
  const connection = new Connection()
  places.reached(origin, reach, connection)
  return connection
}

describe("the places of registries", () => {
  const registry = "https://registry.example"
  it("are known by connections, for each origin", () => {
    const places = Places.make()
    assert.isUndefined(places.of(registry))
    places.reached(registry, "private")
    assert.strictEqual(places.of(registry), "private")
    assert.isUndefined(places.of(`${registry}:8443`))
    assert.isUndefined(places.of("http://registry.example"))
  })

  it("are public once there were two, for good", () => {
    const places = Places.make()
    const seen = (["private", "private", "public", "private", "loopback"] as const).map((reach) => {
      places.reached(registry, reach)
      return places.of(registry)
    })
    assert.deepStrictEqual(seen, ["private", "private", "public", "public", "public"])
  })

  it("keep no connection to another place, and those of other registries", () => {
    const places = Places.make()
    const first = connect(places, registry, "private")
    const other = connect(places, `${registry}:8443`, "private")
    const second = connect(places, registry, "public")
    assert.deepStrictEqual(first.reasons, [
      "https://registry.example has moved: connections to its private address are closed"
    ])
    assert.deepStrictEqual([...other.reasons, ...second.reasons], [])
    connect(places, registry, "public")
    assert.lengthOf(first.reasons, 1)
  })
})
