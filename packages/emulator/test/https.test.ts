/**
 * Certificates that the emulator makes or receives, and the host that clients use for it.
 */
import { X509Certificate } from "node:crypto"
import { request } from "node:http"
import { connect } from "node:tls"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as HttpClient from "effect/http/HttpClient"
import { generate } from "selfsigned"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { ask, askAsAdmin, emulator, form } from "./support/ask.ts"
import { push } from "./support/content.ts"

const certificateOf = Effect.map(AcrEmulator.AcrEmulator, ({ certificate }) => Option.getOrThrow(certificate))

/** The status of `GET /v2/` for a client that trusts these. */
const statusFor = (ca: string, endpoint: string) =>
  Effect.map(HttpClient.get(`${endpoint}/v2/`), ({ status }) => status).pipe(
    Effect.provide(NodeRegistryHttpClient.layerOptions({ ca }))
  )

/** The certificate that a server shows. */
const shown = (loginServer: string) =>
  Effect.callback<X509Certificate>((resume) => {
    const { hostname, port } = new URL(`https://${loginServer}`)
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      const certificate = socket.getPeerX509Certificate()
      socket.destroy()
      if (certificate !== undefined) resume(Effect.succeed(certificate))
    })
  })

/** A certificate as a developer's authority makes it. */
const given = (keyType: "ec" | "rsa", ...names: ReadonlyArray<string>) =>
  Effect.map(
    Effect.promise(() =>
      generate([{ name: "commonName", value: "given" }], {
        keyType,
        algorithm: "sha256",
        extensions: [
          { name: "basicConstraints", cA: true, critical: true },
          { name: "subjectAltName", altNames: names.map((value) => ({ type: 2, value })) }
        ]
      })
    ),
    ({ cert, private: key }) => ({ certificate: cert, key: Redacted.make(key) })
  )

/** The same tests with a certificate that is made for them. */
const withGiven = (
  options: AcrEmulator.Options,
  ...[keyType, ...names]: Parameters<typeof given>
): Layer.Layer<AcrEmulator.AcrEmulator | HttpClient.HttpClient, Layer.Error<ReturnType<typeof emulator>>> =>
  Layer.unwrap(
    Effect.map(given(keyType, ...names), (https) =>
      Layer.merge(
        AcrEmulator.layer({ ...options, https }),
        NodeRegistryHttpClient.layerOptions({ ca: https.certificate })
      )
    )
  )

describe("an emulator's own certificate", () => {
  it.live("is of an authority with a name of its own, so that a client can trust several", () =>
    Effect.gen(function* () {
      const one = yield* AcrEmulator.AcrEmulator
      const authority = yield* certificateOf
      yield* Effect.gen(function* () {
        const other = yield* AcrEmulator.AcrEmulator
        const otherAuthority = yield* certificateOf
        const both = otherAuthority + authority
        assert.notStrictEqual(new X509Certificate(authority).subject, new X509Certificate(otherAuthority).subject)
        assert.strictEqual(yield* statusFor(both, one.endpoint), 401)
        assert.strictEqual(yield* statusFor(both, other.endpoint), 401)
        assert.strictEqual((yield* Effect.exit(statusFor(authority, other.endpoint)))._tag, "Failure")
      }).pipe(Effect.provide(Layer.fresh(AcrEmulator.layer({ https: true }))))
    }).pipe(Effect.provide(AcrEmulator.layer({ https: true })))
  )

  it.live("is for each name of this machine, and for the public host", () =>
    Effect.gen(function* () {
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      const port = loginServer.split(":").at(-1) ?? ""
      const authority = new X509Certificate(yield* certificateOf)
      const certificate = yield* shown(`127.0.0.1:${port}`)
      assert.isTrue(certificate.verify(authority.publicKey))
      assert.deepStrictEqual([authority.ca, certificate.ca], [true, false])
      assert.isDefined(certificate.checkHost("localhost"))
      assert.isDefined(certificate.checkHost("registry.test"))
      for (const address of ["127.0.0.1", "::1"]) assert.isDefined(certificate.checkIP(address))
      assert.isUndefined(certificate.checkHost("elsewhere.test"))
    }).pipe(Effect.provide(AcrEmulator.layer({ https: true, publicHost: "registry.test" })))
  )

  it.live.each(["10.1.2.3", "[fd00:12::7]", "[::ffff:10.1.2.3]"])("is for an address: %s", (publicHost) =>
    Effect.gen(function* () {
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      const certificate = yield* shown(`127.0.0.1:${loginServer.split(":").at(-1)}`)
      assert.isDefined(certificate.checkIP(publicHost.replace(/[[\]]/g, "")))
    }).pipe(Effect.provide(AcrEmulator.layer({ https: true, publicHost })))
  )
})

describe("a certificate that the emulator is given", () => {
  for (const keyType of ["ec", "rsa"] as const) {
    it.live(`serves it, and signs its tokens: ${keyType}`, () =>
      Effect.gen(function* () {
        const { loginServer, modes } = yield* AcrEmulator.AcrEmulator
        assert.strictEqual((yield* shown(loginServer)).toString(), new X509Certificate(yield* certificateOf).toString())
        assert.strictEqual((yield* modes).blobs, "direct")
        const { digest } = yield* push("a blob")
        assert.strictEqual((yield* askAsAdmin("GET", `/v2/a/blobs/${digest}`)).text, "a blob")
        const reply = yield* askAsAdmin("GET", `/oauth2/token?service=${loginServer}&scope=repository:a:pull`)
        const header = Buffer.from(/"access_token":"([^.]+)/.exec(reply.text)?.[1] ?? "", "base64url").toString()
        assert.include(header, keyType === "ec" ? '"ES256"' : '"RS256"')
      }).pipe(Effect.provide(withGiven({ host: "localhost" }, keyType, "localhost")))
    )
  }

  it.live("redirects downloads if it is for the storage too", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* (yield* AcrEmulator.AcrEmulator).modes).blobs, "redirect")
    }).pipe(Effect.provide(withGiven({}, "ec", "registry.test", "localhost")))
  )

  it.live("is refused with the reason if it can't be used", () =>
    Effect.gen(function* () {
      const one = yield* given("ec", "localhost")
      const other = yield* given("ec", "localhost")
      const reasons = yield* Effect.forEach(
        [
          { ...one, key: other.key },
          { ...one, certificate: "no certificate" },
          { ...one, key: Redacted.make("no key") }
        ],
        (https) => Effect.flip(Effect.scoped(AcrEmulator.make({ https })))
      )
      assert.match(String(reasons[0]?.cause), /the key is not the certificate's$/)
      assert.match(String(reasons[1]?.cause), /the certificate cannot be read: /)
      assert.match(String(reasons[2]?.cause), /the key cannot be read: /)
    })
  )
})

describe("an emulator with a public host", () => {
  it.live("has it in all of its addresses, and serves blobs", () =>
    Effect.gen(function* () {
      const { endpoint, loginServer, modes } = yield* AcrEmulator.AcrEmulator
      assert.deepStrictEqual([endpoint, loginServer], ["http://localhost:5999", "localhost:5999"])
      assert.strictEqual((yield* modes).blobs, "direct")
    }).pipe(Effect.provide(emulator({ publicHost: "localhost:5999" })))
  )

  it.live("leaves out the port of the scheme", () =>
    Effect.gen(function* () {
      const { endpoint, loginServer } = yield* AcrEmulator.AcrEmulator
      assert.deepStrictEqual([endpoint, loginServer], ["https://registry.test", "registry.test"])
    }).pipe(Effect.provide(emulator({ https: true, publicHost: "registry.test:443" })))
  )

  it.live("asks clients for tokens there, whatever host they name", () =>
    Effect.gen(function* () {
      const { endpoint, loginServer } = yield* AcrEmulator.AcrEmulator
      assert.match(loginServer, /^localhost:\d+$/)
      const challenged = yield* ask("GET", endpoint.replace("localhost", "127.0.0.1") + "/v2/")
      assert.include(challenged.headers["www-authenticate"], `realm="http://${loginServer}/oauth2/token"`)
      assert.include(challenged.headers["www-authenticate"], `service="${loginServer}"`)
      const granted = yield* ask("POST", "/oauth2/token", {
        body: form({ grant_type: "password", service: loginServer, scope: "", username: "", password: "" })
      })
      assert.strictEqual(granted.status, 200)
    }).pipe(Effect.provide(emulator({ publicHost: "localhost", anonymousPull: true })))
  )

  it.live.each(["", "a b", "registry.test/path", "http://registry.test", "registry.test:0", "registry.test:99999"])(
    "refuses what is no host: %j",
    (publicHost) =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(Effect.scoped(AcrEmulator.make({ publicHost })))
        assert.include(String(exit), "publicHost must be a host")
      })
  )
})

describe("an emulator without a public host", () => {
  it.live("asks clients for tokens at the host that they name, as behind a port that is mapped", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* AcrEmulator.AcrEmulator
      const { hostname, port } = new URL(endpoint)
      const challenge = yield* Effect.promise(
        () =>
          new Promise<string | undefined>((resolve, reject) => {
            const sent = request({ hostname, port, path: "/v2/", headers: { host: "registry.test:32768" } })
            sent.on("response", (response) => resolve(response.headers["www-authenticate"]))
            sent.on("error", reject)
            sent.end()
          })
      )
      assert.include(challenge, 'realm="http://registry.test:32768/oauth2/token"')
    }).pipe(Effect.provide(emulator()))
  )
})
