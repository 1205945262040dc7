/**
 * Addresses and encryption: every address of the emulator can be requested, and faults apply there as well.
 */
import { networkInterfaces } from "node:os"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import type { Consequence } from "../src/Fault.ts"
import { ask, askAsAdmin, emulator } from "./support/ask.ts"
import { locationOf, push } from "./support/content.ts"
import { inject } from "./support/faults.ts"

/** Uploads a blob, follows the redirect to its content, and returns the address. */
const roundTrip = Effect.gen(function* () {
  const { digest } = yield* push("a blob")
  assert.strictEqual((yield* (yield* AcrEmulator.AcrEmulator).modes).blobs, "redirect")
  const address = locationOf(yield* askAsAdmin("GET", `/v2/a/blobs/${digest}`))
  assert.strictEqual((yield* ask("GET", address)).text, "a blob")
  return address
})

/** Uploads a blob, whose content this host serves itself. */
const servedHere = Effect.gen(function* () {
  const { digest } = yield* push("a blob")
  assert.strictEqual((yield* (yield* AcrEmulator.AcrEmulator).modes).blobs, "direct")
  const reply = yield* askAsAdmin("GET", `/v2/a/blobs/${digest}`)
  assert.deepStrictEqual([reply.status, reply.text], [200, "a blob"])
})

const secure = Layer.unwrap(
  AcrEmulator.AcrEmulator.useSync(({ certificate }) =>
    NodeRegistryHttpClient.layerOptions({ ca: Option.getOrThrow(certificate) })
  )
).pipe(Layer.provideMerge(AcrEmulator.layer({ https: true })))

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1") === true)

describe("the storage of an emulator", () => {
  // js/can_upload_blob.json: the redirect leads to a host of blob.core.windows.net.
  it.live("is another host, to which no client sends the token of the registry", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* AcrEmulator.AcrEmulator
      assert.strictEqual(new URL(endpoint).hostname, "127.0.0.1")
      assert.strictEqual(new URL(yield* roundTrip).hostname, "localhost")
    }).pipe(Effect.provide(emulator()))
  )

  for (const address of ["127.0.0.1", ...(hasIpv6 ? ["[::1]"] : [])]) {
    it.live(`is found wherever localhost is: ${address}`, () =>
      Effect.gen(function* () {
        const url = new URL(yield* roundTrip)
        assert.strictEqual((yield* ask("GET", url.href.replace("localhost", address))).text, "a blob")
      }).pipe(Effect.provide(emulator()))
    )
  }

  it.live("is missing where there is no second host, and blobs are served", () =>
    servedHere.pipe(Effect.provide(emulator({ host: "0.0.0.0", blobs: "redirect" })))
  )
})

describe("an emulator", () => {
  it.live("on a name of this machine", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* AcrEmulator.AcrEmulator
      assert.match(endpoint, /^http:\/\/localhost:\d+$/)
      assert.match(yield* roundTrip, /^http:\/\/127\.0\.0\.1:\d+\/blobs\//)
    }).pipe(Effect.provide(emulator({ host: "localhost" })))
  )

  it.live.runIf(hasIpv6)("on an address of IPv6", () =>
    Effect.gen(function* () {
      const { endpoint, loginServer } = yield* AcrEmulator.AcrEmulator
      assert.match(endpoint, /^http:\/\/\[::1\]:\d+$/)
      assert.strictEqual(`http://${loginServer}`, endpoint)
      yield* servedHere
      const challenged = yield* ask("GET", "/v2/")
      assert.include(
        challenged.headers["www-authenticate"],
        `realm="${endpoint}/oauth2/token",service="${loginServer}"`
      )
    }).pipe(Effect.provide(emulator({ host: "::1" })))
  )

  it.live("of https, whose storage speaks it too", () =>
    Effect.gen(function* () {
      assert.match(yield* roundTrip, /^https:\/\/localhost:\d+\/blobs\//)
      const challenged = yield* ask("GET", "/v2/")
      assert.match(challenged.headers["www-authenticate"] ?? "", /^Bearer realm="https:/)
    }).pipe(Effect.provide(secure))
  )
})

describe("a fault behind https", () => {
  const breaking: ReadonlyArray<Consequence> = [
    { _tag: "Reset" },
    { _tag: "LostAnswer" },
    { _tag: "ResetRequest", afterBytes: 0 },
    { _tag: "CutBody", afterBytes: 3 }
  ]
  for (const consequence of breaking) {
    it.live(`breaks one request: ${consequence._tag}`, () =>
      Effect.gen(function* () {
        const catalog = askAsAdmin("GET", "/acr/v1/_catalog")
        yield* inject(consequence)
        assert.strictEqual((yield* Effect.exit(catalog))._tag, "Failure")
        assert.strictEqual((yield* catalog).status, 200)
      }).pipe(Effect.provide(secure))
    )
  }
})
