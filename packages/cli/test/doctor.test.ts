/**
 * The steps of the doctor, and registries behind proxies and authorities of their own.
 */
import { mkdtempSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { connectProxy } from "../../node/test/support/connectProxy.ts"
import { eacr, type Given } from "./support/eacr.ts"
import { loggedIn } from "./support/registry.ts"

const seed = [{ repository: "shop/api", tags: ["v1"] }]

const emulated = <A, E>(effect: Effect.Effect<A, E, AcrEmulator.AcrEmulator>, options: AcrEmulator.Options = {}) =>
  Effect.provide(effect, AcrEmulator.layer({ seed, ...options }))

/** The outcome of each step. */
const outcomes = (stdout: string): Record<string, string> =>
  Object.fromEntries(
    stdout
      .split("\n")
      .map((line) => line.split("\t"))
      .flatMap(([name = "", outcome = ""]) => (outcome === "" || outcome === "advice" ? [] : [[name, outcome]]))
  )

const lineOf = (stdout: string, name: string, outcome: string): string =>
  stdout.split("\n").find((line) => line.startsWith(`${name}\t${outcome}\t`)) ?? ""

/** A file with the authority of an emulator with https. */
const caFile = Effect.map(AcrEmulator.AcrEmulator, ({ certificate }) => {
  const folder = mkdtempSync(join(tmpdir(), "effect-acr-doctor-"))
  const file = join(folder, "ca.pem")
  writeFileSync(file, Option.getOrThrow(certificate))
  return file
})

/** A server that reads and never writes. */
const silentServer = Effect.gen(function* () {
  const asked = yield* Deferred.make<void>()
  const server = createServer((socket) => {
    socket.on("error", () => {})
    socket.once("data", () => Deferred.doneUnsafe(asked, Effect.void))
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () => Effect.sync(() => server.close())
  )
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { host: `127.0.0.1:${port}`, asked: Deferred.await(asked) }
})

describe("doctor", () => {
  it.live("finds nothing wrong", () =>
    emulated(
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* loggedIn(["doctor", "$REGISTRY", "--repository", "shop/api"])
        assert.strictEqual(code, 0, stdout + stderr)
        assert.deepStrictEqual(outcomes(stdout), {
          name: "ok",
          connection: "ok",
          api: "ok",
          clock: "ok",
          login: "ok",
          token: "ok",
          repositories: "ok",
          tags: "ok",
          pull: "ok",
          push: "skipped"
        })
        assert.include(lineOf(stdout, "name", "ok"), "127.0.0.1 (loopback)")
        assert.include(lineOf(stdout, "api", "ok"), "Azure Container Registry")
        assert.include(lineOf(stdout, "login", "ok"), "docker used admin, DOCKER_AUTH_CONFIG")
        assert.match(lineOf(stdout, "pull", "ok"), /v1 is sha256:/)
      })
    )
  )

  it.live("opens and cancels an upload with --push, and changes nothing else", () =>
    emulated(
      Effect.gen(function* () {
        const { journal, openUploads } = yield* AcrEmulator.AcrEmulator
        const { code, stdout } = yield* loggedIn(["doctor", "$REGISTRY", "--repository", "shop/api", "--push"])
        assert.strictEqual(code, 0, stdout)
        assert.match(lineOf(stdout, "push", "ok"), /opened and cancelled/)
        assert.strictEqual(yield* openUploads, 0)
        const writes = (yield* journal).filter(
          ({ method, status }) => !["GET", "HEAD"].includes(method) && status !== 401
        )
        assert.deepStrictEqual(
          writes.map(({ method, status }) => `${method} ${status}`),
          ["POST 202", "DELETE 204"]
        )
      })
    )
  )

  it.live("is one JSON document, or a line for each step", () =>
    emulated(
      Effect.gen(function* () {
        const json = yield* loggedIn(["doctor", "$REGISTRY", "--json"])
        assert.strictEqual(JSON.parse(json.stdout).steps.length, 10)
        const lines = yield* loggedIn(["doctor", "$REGISTRY", "--jsonl"])
        const [first = ""] = lines.stdout.split("\n")
        assert.deepInclude(JSON.parse(first), { name: "name", outcome: "ok" })
      })
    )
  )

  it.live("reports a missing login, and skips the steps that need one", () =>
    emulated(
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const { code, stdout } = yield* eacr(["doctor", loginServer, "--repository", "shop/api"], {
          env: { HOME: "/nonexistent" }
        })
        assert.strictEqual(code, 5)
        assert.include(lineOf(stdout, "login", "failed"), "; anonymous used")
        assert.notInclude(stdout, " \n")
        assert.notInclude(stdout, " ;")
        assert.include(lineOf(stdout, "login", "advice"), "eacr login")
        assert.include(outcomes(stdout), { clock: "ok", login: "failed", token: "skipped", pull: "skipped" })
      })
    )
  )

  it.live("reports which permission is missing", () => {
    const puller = { username: "puller", password: Redacted.make("only to pull") }
    return emulated(
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const auth = btoa(`${puller.username}:${Redacted.value(puller.password)}`)
        const env = { HOME: "/nonexistent", DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [loginServer]: { auth } } }) }
        const { code, stdout } = yield* eacr(["doctor", loginServer, "--repository", "shop/api", "--push"], { env })
        assert.strictEqual(code, 5)
        assert.include(outcomes(stdout), {
          login: "ok",
          token: "failed",
          repositories: "skipped",
          tags: "ok",
          pull: "ok",
          push: "failed"
        })
        assert.include(lineOf(stdout, "token", "failed"), "does not allow push")
      }),
      {
        scopeMapTokens: [
          { ...puller, scopeMap: [{ repository: "shop/*", actions: ["content/read", "metadata/read"] }] }
        ]
      }
    )
  })

  it.live("reports that nothing answers", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* eacr(["doctor", "127.0.0.1:1"], { env: { HOME: "/nonexistent" } })
      assert.strictEqual(code, 7)
      assert.include(outcomes(stdout), { name: "ok", connection: "failed", api: "skipped", push: "skipped" })
    })
  )

  it.live("does not retry, and reports how a registry fails", () =>
    emulated(
      Effect.gen(function* () {
        const { clearJournal, inject, journal } = yield* AcrEmulator.AcrEmulator
        yield* clearJournal
        yield* inject({ path: "/v2/", times: "always", consequence: { _tag: "Answer", status: 503 } })
        const { code, stdout } = yield* loggedIn(["doctor", "$REGISTRY"])
        assert.strictEqual(code, 7)
        assert.include(outcomes(stdout), { connection: "ok", api: "failed", login: "skipped" })
        assert.lengthOf(yield* journal, 1)
      })
    )
  )

  it.live("reports a wrong clock", () =>
    emulated(
      Effect.gen(function* () {
        const { adjustTime } = yield* AcrEmulator.AcrEmulator
        yield* adjustTime("1 hour")
        const { stdout } = yield* loggedIn(["doctor", "$REGISTRY"])
        assert.match(lineOf(stdout, "clock", "failed"), /3\d{3} seconds behind the registry/)
      })
    )
  )

  it.live("refuses --push without a repository, and an invalid registry", () =>
    Effect.gen(function* () {
      const env = { HOME: "/nonexistent" }
      assert.strictEqual((yield* eacr(["doctor", "127.0.0.1:1", "--push"], { env })).code, 2)
      assert.strictEqual((yield* eacr(["doctor", "127.0.0.1:1/shop/api"], { env })).code, 2)
    })
  )
})

describe("a registry that accepts connections and never answers", () => {
  it.effect("times out at each step, and the doctor ends", () =>
    Effect.gen(function* () {
      const silent = yield* silentServer
      const running = yield* Effect.forkChild(eacr(["doctor", silent.host], { env: { HOME: "/nonexistent" } }))
      yield* silent.asked
      yield* TestClock.adjust("10 seconds")
      const { code, stdout } = yield* Fiber.join(running)
      assert.strictEqual(code, 7)
      assert.include(outcomes(stdout), { name: "ok", connection: "ok", api: "failed", clock: "skipped" })
      assert.include(lineOf(stdout, "api", "failed"), "timed out: no response within 10s")
      assert.include(lineOf(stdout, "api", "advice"), "does not answer")
    }).pipe(Effect.scoped)
  )
})

describe("a registry whose certificate is of an authority of its own", () => {
  it.live("is not trusted, as the doctor explains, and is trusted with --ca-file", () =>
    emulated(
      Effect.gen(function* () {
        const file = yield* caFile
        const untrusted = yield* loggedIn(["doctor", "$REGISTRY", "--no-plain-http"])
        assert.strictEqual(untrusted.code, 7)
        const line = lineOf(untrusted.stdout, "connection", "failed")
        assert.match(line, /not trusted: (?:SELF_SIGNED|UNABLE_TO)/)
        assert.match(line, /certificate for .*127\.0\.0\.1/)
        assert.include(lineOf(untrusted.stdout, "connection", "advice"), "--ca-file")

        const trusted = yield* loggedIn(["doctor", "$REGISTRY", "--no-plain-http", "--ca-file", file])
        assert.strictEqual(trusted.code, 0, trusted.stdout)
        const listed = yield* loggedIn(["ls", "$REGISTRY", "--no-plain-http", "--ca-file", file])
        assert.strictEqual(listed.stdout, "shop/api\n", listed.stderr)
        const refused = yield* loggedIn(["ls", "$REGISTRY", "--no-plain-http"])
        assert.strictEqual(refused.code, 7)
        assert.include(refused.stderr, "trust its authority: --ca-file FILE")
        assert.notInclude(refused.stderr, "running Node")

        const plain = yield* loggedIn(["ls", "$REGISTRY"])
        assert.strictEqual(plain.code, 7)
        assert.include(plain.stderr, "  for a registry with TLS on this machine: --no-plain-http\n")
        assert.notInclude(plain.stderr, "endpoint")
        const checked = yield* loggedIn(["doctor", "$REGISTRY"])
        assert.include(lineOf(checked.stdout, "api", "advice"), "--no-plain-http")
      }),
      { https: true }
    )
  )
})

describe("a registry behind a proxy", () => {
  it.live("is reached by the proxy of HTTPS_PROXY, unless NO_PROXY names it", () =>
    emulated(
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const file = yield* caFile
        const proxy = yield* connectProxy({ leadsTo: Number(loginServer.split(":").at(-1)) })
        const env = { HTTPS_PROXY: `http://user:hunter2@${proxy.host}` }
        const run = (args: ReadonlyArray<string>, given: Given = {}) =>
          loggedIn([...args, "--ca-file", file, "-vv"], { ...given, env: { ...env, ...given.env } })

        const listed = yield* run(["ls", "$REGISTRY"])
        assert.strictEqual(listed.stdout, "shop/api\n", listed.stderr)
        assert.include(proxy.asked, loginServer)
        assert.notInclude(listed.stderr, "hunter2")

        const checked = yield* run(["doctor", "$REGISTRY"])
        assert.strictEqual(checked.code, 0, checked.stdout)
        assert.include(lineOf(checked.stdout, "connection", "ok"), `by the proxy ${proxy.host}`)
        assert.notInclude(checked.stdout + checked.stderr, "hunter2")

        const count = proxy.asked.length
        const direct = yield* run(["ls", "$REGISTRY"], { env: { NO_PROXY: "registry.test" } })
        assert.strictEqual(direct.code, 7)
        assert.strictEqual(proxy.asked.length, count)
      }).pipe(Effect.scoped),
      { https: true, publicHost: "registry.test" }
    )
  )
})
