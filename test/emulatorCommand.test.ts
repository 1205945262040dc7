/**
 * The emulator as a command: its configuration, its certificates, and what it says to programs in any language.
 */
import { X509Certificate } from "node:crypto"
import { existsSync } from "node:fs"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { get } from "node:http"
import { connect, createServer, type Server } from "node:net"
import { join } from "node:path"
import { BlobSource, ContainerRegistry, Credentials, Registry, RegistryContent } from "@effect-acr/client"
import { ControlApi } from "@effect-acr/emulator"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import { generate } from "selfsigned"
import { isInstalled, run, temporaryFolder } from "./support/command.ts"
import { ends, start } from "./support/emulatorCommand.ts"

const file = Effect.fnUntraced(function* (name: string, content: string) {
  const path = join(yield* temporaryFolder, name)
  yield* Effect.promise(() => writeFile(path, content))
  return path
})

const config = (settings: unknown) => file("acr.json", JSON.stringify(settings))

const basic = (username: string, password: string) => ({
  headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` }
})

const admin = basic("admin", "emulator")

const status = (...[url, options]: Parameters<typeof HttpClient.get>) =>
  Effect.map(HttpClient.get(url, options), (response) => response.status)

const pythonStatus = `
import ssl, sys, urllib.error, urllib.request
context = ssl.create_default_context(cafile=sys.argv[1])
context.verify_flags |= ssl.VERIFY_X509_STRICT
try:
    print(urllib.request.urlopen(sys.argv[2], context=context).status)
except urllib.error.HTTPError as refused:
    print(refused.code)
`

/** Fails unless OpenSSL, as strict as it can be, takes the certificate at a port. */
const opensslTrusts = (bundle: string, host: string, port: number) => {
  const name = host === "localhost" ? "-verify_hostname" : "-verify_ip"
  const strict = `-x509_strict -verify_return_error ${name} ${host}`
  return run("sh", ["-c", `openssl s_client -connect ${host}:${port} -CAfile ${bundle} ${strict} </dev/null`])
}

/** The services of the client, logged in as the admin user. */
const clientOf = (endpoint: string, ca?: string): Layer.Layer<Registry.Services, unknown> =>
  Registry.layer({ endpoint }).pipe(
    Layer.provide(Credentials.layerPassword({ username: "admin", password: Redacted.make("emulator") })),
    Layer.provide(NodeRegistryHttpClient.layerOptions(ca === undefined ? {} : { ca }))
  )

const repositoriesAt = (endpoint: string, ca?: string) =>
  ContainerRegistry.ContainerRegistry.use((registry) => Stream.runCollect(registry.repositories())).pipe(
    Effect.provide(clientOf(endpoint, ca))
  )

/** Pushes a blob, and pulls it by the way of ACR's redirect if there is one. */
const roundTripAt = (endpoint: string, ca?: string) =>
  Effect.gen(function* () {
    const content = yield* RegistryContent.RegistryContent
    const blob = yield* content.uploadBlob("pulled", BlobSource.fromString("a blob"))
    return new TextDecoder().decode(yield* content.blobBytes("pulled", blob))
  }).pipe(Effect.provide(clientOf(endpoint, ca)))

/** A certificate and its key in files, as a developer's authority makes them for some names. */
const certificateFor = Effect.fnUntraced(function* (...names: ReadonlyArray<string>) {
  const { cert, private: key } = yield* Effect.promise(() =>
    generate([{ name: "commonName", value: "given" }], {
      keyType: "ec",
      algorithm: "sha256",
      extensions: [
        { name: "basicConstraints", cA: true, critical: true },
        { name: "subjectAltName", altNames: names.map((value) => ({ type: 2, value })) }
      ]
    })
  )
  return { cert, certFile: yield* file("cert.pem", cert), keyFile: yield* file("key.pem", key) }
})

/** A port of this machine that leads to another one, as containers' ports do. */
const mappedPort = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const server = createServer((socket) => {
        const onward = connect(port, "127.0.0.1")
        socket.on("error", () => onward.destroy()).pipe(onward)
        onward.on("error", () => socket.destroy()).pipe(socket)
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(
    Effect.map((server) => {
      const address = server.address()
      return typeof address === "object" && address !== null ? address.port : 0
    })
  )

const portOf = (endpoint: string): number => Number(new URL(endpoint).port)

describe("the command's configuration", () => {
  it.live("file says what kind of registry to be, beyond what flags say", () =>
    Effect.gen(function* () {
      const path = yield* config({
        host: "localhost",
        anonymousPull: true,
        adminUser: { username: "root", password: "of-the-file" },
        scopeMapTokens: [
          { username: "team", password: "p", scopeMap: [{ repository: "team/*", actions: ["metadata/read"] }] }
        ],
        rateLimits: { delete: 1 },
        accessTokenLifetime: "5 minutes",
        maxRequestBodySize: "1 KiB",
        referrers: { pageSize: 2 },
        seeds: ["team/app:1", "library/alpine:3.20"]
      })
      const { ready } = yield* start("--config", path, "--seed", "team/more:2")
      assert.match(ready.endpoint, /^http:\/\/localhost:/)
      assert.deepStrictEqual(ready.logins.adminUser, { username: "root", password: "of-the-file" })
      const at = (path: string) => ready.endpoint + path
      assert.strictEqual(yield* status(at("/acr/v1/team/app"), basic("team", "p")), 200)
      assert.strictEqual(yield* status(at("/acr/v1/team/more"), basic("team", "p")), 200)
      assert.strictEqual(yield* status(at("/acr/v1/library/alpine"), basic("team", "p")), 401)
      assert.strictEqual(yield* status(at("/v2/team/app/manifests/1"), basic("", "")), 401)
      const anonymous = yield* HttpClient.get(
        at(`/oauth2/token?service=${ready.loginServer}&scope=repository:team/app:pull`)
      )
      const token = /"access_token":"([^"]+)/.exec(yield* anonymous.text)?.[1] ?? ""
      const authorization = `Bearer ${token}`
      assert.strictEqual(yield* status(at("/v2/team/app/manifests/1"), { headers: { authorization } }), 200)
      const claims = Buffer.from(token.split(".")[1] ?? "", "base64url").toString()
      const { exp = 0, iat = 0 }: { exp?: number; iat?: number } = JSON.parse(claims)
      assert.strictEqual(exp - iat, 300)
      const deletion = HttpClient.del(at("/acr/v1/team/app"), basic("root", "of-the-file"))
      assert.deepStrictEqual([(yield* deletion).status, (yield* deletion).status], [202, 429])
    }).pipe(Effect.provide(NodeRegistryHttpClient.layer))
  )

  it.live("file is overridden by flags", () =>
    Effect.gen(function* () {
      const path = yield* config({ port: 1, https: true, blobs: "direct", referrers: { api: true, pageSize: 2 } })
      const { ready } = yield* start("--config", path, "--no-https", "--no-direct-blobs", "--no-referrers-api")
      assert.match(ready.endpoint, /^http:/)
      assert.strictEqual(ready.blobs, "redirect")
      const referrers = `${ready.endpoint}/v2/a/referrers/sha256:${"0".repeat(64)}`
      assert.strictEqual(yield* status(referrers, admin), 404)
    }).pipe(Effect.provide(NodeRegistryHttpClient.layer))
  )

  it.live("file names files that are beside it", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const path = join(folder, "acr.json")
      const settings = { https: true, caOut: "ca.pem", readyFile: "ready.json", directory: "registry" }
      yield* Effect.promise(() => writeFile(path, JSON.stringify(settings)))
      const { ready } = yield* start("--config", path)
      assert.strictEqual(ready.certificateFile, join(folder, "ca.pem"))
      const files = yield* Effect.promise(() => readdir(folder))
      assert.includeMembers(files, ["ca.pem", "ready.json", "registry"])
    })
  )

  it.live.each([
    [{ prot: 1 }, "prot: there is no such key; port is the nearest"],
    [{ referrers: { apii: true } }, "referrers.apii: there is no such key; api is the nearest"],
    [{ seeds: [{ repository: "a", tgas: ["1"] }] }, "seeds[0].tgas: there is no such key; tags is the nearest"],
    [{ port: "x" }, "port: Expected number"],
    [{ seeds: ["a:1", "b"] }, "seeds[1]: Expected an image such as library/alpine:3.20"],
    [{ softDelete: { retention: "0 seconds" } }, "softDelete.retention: Expected a time above zero"],
    [{ publicHost: "a/b" }, "publicHost: Expected a host such as registry.test:5001"],
    [{ scopeMapTokens: [{ username: "a", scopeMap: [] }] }, "scopeMapTokens[0].password: is missing"],
    [[], "Expected object"]
  ])("file is refused in a line that names the place: %j", ([settings, problem]) =>
    Effect.gen(function* () {
      const path = yield* config(settings)
      assert.deepStrictEqual(ends(["--config", path]), {
        code: 1,
        stdout: "",
        stderr: `acr-emulator cannot start: ${path}: ${problem}\n`
      })
    })
  )

  it.live("file is refused if it is not there or no JSON", () =>
    Effect.gen(function* () {
      const path = yield* file("acr.json", '{\n  "port": 1,\n}')
      assert.match(ends(["--config", path]).stderr, /^acr-emulator cannot start: .*acr\.json is not JSON: .+\n$/)
      assert.match(ends(["--config", `${path}.no`]).stderr, /^acr-emulator cannot start: .*: ENOENT.*\n$/)
    })
  )

  it("is explained by --help, with the defaults", () => {
    const { code, stdout } = ends(["--help"])
    assert.strictEqual(code, 0)
    assert.match(stdout, /--port PORT +.*Default: 5001/)
    assert.match(stdout, /--host ADDRESS +.*Default: 127\.0\.0\.1/)
    assert.match(stdout, /--config FILE/)
  })

  it("needs a Node that is not too old, and says so in a line", () => {
    const old = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.20.2'})"
    assert.deepStrictEqual(ends(["--json"], ["--import", old]), {
      code: 1,
      stdout: "",
      stderr: "acr-emulator needs Node 22.19 or later; this is Node 20.20.2\n"
    })
  })
})

describe("the command's seeds", () => {
  it.live("come from a folder in OCI layout, such as the one that an emulator kept", () =>
    Effect.gen(function* () {
      const folder = join(yield* temporaryFolder, "images")
      const kept = yield* start("--directory", folder, "--seed", "shop/api:1.4.0")
      yield* kept.stop("SIGTERM")
      const { ready } = yield* start("--seed-from", folder)
      assert.deepStrictEqual(yield* repositoriesAt(ready.endpoint), ["shop/api"])
      yield* run("sh", ["-c", `sed -i 's#shop/api:##' ${join(folder, "index.json")}`])
      const named = yield* start("--seed-from", `${folder}=shop/base`)
      assert.deepStrictEqual(yield* repositoriesAt(named.ready.endpoint), ["shop/base"])
    })
  )

  it("that cannot be read keep the command from its start", () => {
    const { code, stderr } = ends(["--port", "0", "--seed-from", "/none=shop/base"])
    assert.strictEqual(code, 1)
    assert.include(stderr, "cannot seed /none")
  })
})

describe("the command's certificate", () => {
  it.live("is in a file before the emulator is ready, and clients in any language trust several at a time", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const one = yield* start("--https", "--ca-out", join(folder, "one.pem"))
      const other = yield* start("--https", "--ca-out", join(folder, "other.pem"))
      const written = yield* Effect.promise(() => readFile(one.ready.certificateFile ?? "", "utf8"))
      assert.strictEqual(written, one.ready.certificate)
      assert.isTrue(new X509Certificate(written).ca)
      const endpoints = [one.ready.endpoint, other.ready.endpoint]
      for (const order of [
        ["one.pem", "other.pem"],
        ["other.pem", "one.pem"]
      ]) {
        const parts = yield* Effect.promise(() =>
          Promise.all(order.map((name) => readFile(join(folder, name), "utf8")))
        )
        const bundle = yield* file("bundle.pem", parts.join(""))
        for (const endpoint of endpoints) {
          assert.strictEqual(yield* roundTripAt(endpoint, parts.join("")), "a blob")
          for (const host of ["127.0.0.1", "localhost"]) {
            if (isInstalled("openssl")) yield* opensslTrusts(bundle, host, portOf(endpoint))
            if (isInstalled("python3")) {
              const url = `https://${host}:${portOf(endpoint)}/v2/`
              assert.strictEqual(yield* run("python3", ["-c", pythonStatus, bundle, url]), "401\n")
            }
          }
        }
      }
    })
  )

  it.live("is the one of --cert and --key", () =>
    Effect.gen(function* () {
      const { cert, certFile, keyFile } = yield* certificateFor("localhost")
      const caOut = join(yield* temporaryFolder, "ca.pem")
      const flags = ["--cert", certFile, "--key", keyFile, "--ca-out", caOut]
      const { ready } = yield* start("--host", "localhost", ...flags)
      assert.deepStrictEqual([ready.certificate, ready.certificateFile], [cert, caOut])
      // It is not for 127.0.0.1, where the storage would be.
      assert.strictEqual(ready.blobs, "direct")
      assert.strictEqual(yield* roundTripAt(ready.endpoint, cert), "a blob")
      const { ready: redirecting } = yield* start(...flags)
      assert.strictEqual(redirecting.blobs, "redirect")
    })
  )

  it.live("is refused in a line if it can't be used", () =>
    Effect.gen(function* () {
      const { certFile, keyFile } = yield* certificateFor("localhost")
      const { keyFile: otherKey } = yield* certificateFor("localhost")
      const lines = [
        ["--cert", certFile],
        ["--key", keyFile],
        ["--cert", certFile, "--key", otherKey],
        ["--cert", certFile, "--key", certFile],
        ["--cert", `${certFile}.no`, "--key", keyFile],
        ["--ca-out", `${certFile}.ca`]
      ].map((flags) =>
        ends(["--port", "0", ...flags])
          .stderr.replace("acr-emulator cannot start: ", "")
          .trim()
      )
      assert.strictEqual(lines[0], "--cert needs --key")
      assert.strictEqual(lines[1], "--key needs --cert")
      assert.strictEqual(lines[2], "the key is not the certificate's")
      assert.match(lines[3] ?? "", /^the key cannot be read: [^\n]+$/)
      assert.match(lines[4] ?? "", /^the certificate cannot be read: ENOENT[^\n]+$/)
      assert.strictEqual(lines[5], "--ca-out needs --https, or --cert with --key")
    })
  )
})

describe("the command's address", () => {
  it.live("is of use behind a mapped port, with nothing said", () =>
    Effect.gen(function* () {
      const { ready } = yield* start("--host", "0.0.0.0", "--seed", "library/alpine:3.20")
      const endpoint = `http://localhost:${yield* mappedPort(portOf(ready.endpoint))}`
      assert.deepStrictEqual(yield* repositoriesAt(endpoint), ["library/alpine"])
      assert.strictEqual(yield* roundTripAt(endpoint), "a blob")
    })
  )

  it.live("is the public host, wherever it is said", () =>
    Effect.gen(function* () {
      const { ready } = yield* start("--host", "0.0.0.0", "--public-host", "localhost:5999", "--https")
      assert.strictEqual(ready.endpoint, "https://localhost:5999")
      assert.strictEqual(ready.loginServer, "localhost:5999")
      assert.strictEqual(ready.blobs, "direct")
    })
  )
})

describe("the command's sign that it is ready", () => {
  for (const [signal, expected] of [
    ["SIGTERM", 143],
    ["SIGINT", 130]
  ] as const) {
    it.live(`is one line of JSON, and a file until it stops: ${signal}`, () =>
      Effect.gen(function* () {
        const path = join(yield* temporaryFolder, "ready.json")
        const { ready, stop } = yield* start("--ready-file", path, "--seed", "library/alpine:3.20")
        const text = yield* Effect.promise(() => readFile(path, "utf8"))
        assert.deepStrictEqual(JSON.parse(text), ready)
        assert.deepStrictEqual(yield* repositoriesAt(ready.endpoint), ["library/alpine"])
        const { code, stderr, stdout } = yield* stop(signal)
        assert.deepStrictEqual([code, stdout, stderr], [expected, text, ""])
        assert.isFalse(existsSync(path))
      })
    )
  }

  it.live("is gone at once if an emulator that was killed left it", () =>
    Effect.gen(function* () {
      const path = yield* file("ready.json", "{}")
      const { ready } = yield* start()
      const { code } = ends(["--port", `${portOf(ready.endpoint)}`, "--ready-file", path])
      assert.strictEqual(code, 1)
      assert.isFalse(existsSync(path))
    })
  )

  it.live("is not given if a file of it can't be written", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "missing", "file")
      for (const flag of ["--ready-file", "--ca-out"]) {
        const { code, stderr, stdout } = ends(["--port", "0", "--https", "--json", flag, path])
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.match(stderr, /^acr-emulator cannot start: .*file cannot be written: ENOENT[^\n]*\n$/)
      }
    })
  )
})

/** The status for a request that names another host than the one that it goes to. */
const statusAt = (url: string, host?: string) =>
  Effect.callback<number | undefined, Error>((resume) => {
    get(url, host === undefined ? {} : { headers: { host } }, (response) => {
      response.resume()
      resume(Effect.succeed(response.statusCode))
    }).on("error", (error) => resume(Effect.fail(error)))
  })

describe("the command's control API", () => {
  it.live("is ready when the command says so, and resets to its seeds", () =>
    Effect.gen(function* () {
      const { ready } = yield* start("--seed", "library/alpine:3.20")
      const control = yield* ControlApi.make(ready.control?.endpoint ?? "")
      assert.deepStrictEqual(yield* control.ready(), { status: "ready" })
      yield* HttpClient.del(`${ready.endpoint}/acr/v1/library/alpine`, admin)
      assert.deepStrictEqual(yield* repositoriesAt(ready.endpoint), [])
      yield* control.reset()
      assert.deepStrictEqual(yield* repositoriesAt(ready.endpoint), ["library/alpine"])
    }).pipe(Effect.provide(NodeRegistryHttpClient.layer))
  )

  it.live("answers under the names that it is given, and under no other", () =>
    Effect.gen(function* () {
      const path = yield* config({ publicHost: "registry.test", control: { hosts: ["one.test"] } })
      const flags = ["--control-name", "two.test", "--control-host", "0.0.0.0", "--control-port", "0"]
      const { ready } = yield* start("--config", path, ...flags)
      assert.match(ready.control?.endpoint ?? "", /^http:\/\/0\.0\.0\.0:\d+$/)
      const health = `${ready.control?.endpoint}/health`
      for (const host of ["registry.test", "one.test", "two.test:80", "localhost"]) {
        assert.strictEqual(yield* statusAt(health, host), 200)
      }
      assert.strictEqual(yield* statusAt(health, "three.test"), 421)
    })
  )

  it.live("is not there if it is not wanted", () =>
    Effect.gen(function* () {
      const { ready } = yield* start("--no-control")
      assert.isUndefined(ready.control)
    })
  )

  it.live("is the reason in a line if its port is taken", () =>
    Effect.gen(function* () {
      const { ready } = yield* start()
      const port = `${portOf(ready.control?.endpoint ?? "")}`
      const { code, stderr, stdout } = ends(["--port", "0", "--json", "--control-port", port])
      assert.deepStrictEqual([code, stdout], [1, ""])
      assert.match(stderr, /^acr-emulator cannot start: .*EADDRINUSE.*; --control-port 0 takes a free port\n$/)
    })
  )
})

const JournalLine = Schema.fromJsonString(Schema.Struct({ method: Schema.String, status: Schema.Int }))

describe("the command's log", () => {
  it.live("is a line for each request on stderr, without secrets", () =>
    Effect.gen(function* () {
      const { ready, stop } = yield* start("--log", "text")
      yield* status(`${ready.endpoint}/acr/v1/_catalog?n=3&sig=secret`, admin)
      yield* status(`${ready.endpoint}/v2/`)
      const { stderr, stdout } = yield* stop("SIGTERM")
      assert.strictEqual(stdout.split("\n").length, 2)
      const [first, second, ...rest] = stderr.split("\n")
      assert.match(
        first ?? "",
        /^\d{4}-\d\d-\d\dT[\d:.]+Z registry GET \/acr\/v1\/_catalog\?n=3&sig=redacted 200 [\d.]+ ms admin$/
      )
      assert.match(second ?? "", / registry GET \/v2\/ 401 [\d.]+ ms -$/)
      assert.deepStrictEqual(rest, [""])
    }).pipe(Effect.provide(NodeRegistryHttpClient.layer))
  )

  it.live("is JSON for programs", () =>
    Effect.gen(function* () {
      const { ready, stop } = yield* start("--log", "json")
      yield* status(`${ready.endpoint}/v2/`)
      const { stderr } = yield* stop("SIGTERM")
      assert.deepStrictEqual(yield* Schema.decodeEffect(JournalLine)(stderr), { method: "GET", status: 401 })
    }).pipe(Effect.provide(NodeRegistryHttpClient.layer))
  )
})
