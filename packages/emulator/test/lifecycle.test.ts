/**
 * Starting and stopping: as a layer, and as a command.
 */
import { spawn, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { tmpdir } from "node:os"
import * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import * as Credentials from "@effect-acr/client/Credentials"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { TestClock } from "effect/testing"
import { emulatorFile } from "../../../test/support/programs.ts"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { askAsAdmin, emulator } from "./support/ask.ts"
import { eventually } from "./support/faults.ts"

const folders = Effect.promise(async () => (await readdir(tmpdir())).filter((name) => name.startsWith("acr-emulator-")))

describe("the layer", () => {
  it.live("leaves no port and no folder behind", () =>
    Effect.gen(function* () {
      const before = new Set(yield* folders)
      const { endpoint, own } = yield* Effect.gen(function* () {
        const { endpoint, seed } = yield* AcrEmulator.AcrEmulator
        yield* seed({ repository: "alpine" })
        return { endpoint, own: (yield* folders).filter((name) => !before.has(name)) }
      }).pipe(Effect.provide(AcrEmulator.layer()))
      assert.isNotEmpty(own)
      const after = yield* Effect.exit(HttpClient.get(`${endpoint}/v2/`))
      assert.strictEqual(after._tag, "Failure")
      // Others may run at the same time, and start and stop as they like.
      const left = yield* folders
      assert.isTrue(own.some((name) => !left.includes(name)))
    }).pipe(Effect.provide(NodeRegistryHttpClient.layer))
  )

  it.effect("dates its answers by the clock of the program, as it does what is in them", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 0, 2, 3, 4, 5))
      const { headers } = yield* askAsAdmin("GET", "/v2/")
      assert.strictEqual(headers["date"], "Fri, 02 Jan 2026 03:04:05 GMT")
    }).pipe(Effect.provide(emulator()))
  )

  it.live("ends connections on which a client still waits", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { endpoint, inject, journal } = Context.get(
        yield* Layer.buildWithScope(AcrEmulator.layer(), scope),
        AcrEmulator.AcrEmulator
      )
      yield* inject({ consequence: { _tag: "Stall" } })
      const waiting = yield* Effect.forkChild(HttpClient.get(`${endpoint}/v2/`))
      yield* eventually(journal, (entries) => entries.length === 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Fiber.await(waiting))._tag, "Failure")
    }).pipe(Effect.provide(NodeRegistryHttpClient.layer))
  )

  it.live("of a port that is taken fails", () =>
    Effect.gen(function* () {
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      const error = yield* Effect.flip(
        Effect.scoped(Layer.build(AcrEmulator.layer({ port: Number(loginServer.split(":")[1]) })))
      )
      assert.strictEqual(error._tag, "ServeError")
    }).pipe(Effect.provide(AcrEmulator.layer()))
  )

  it.live("serves https with a certificate, which only clients that trust it accept", () =>
    Effect.gen(function* () {
      const { certificate, endpoint, logins } = yield* AcrEmulator.AcrEmulator
      assert.match(endpoint, /^https:\/\/127\.0\.0\.1:/)
      assert.notInclude(JSON.stringify(logins), Redacted.value(logins.entraToken))
      const ca = Option.getOrThrow(certificate)
      const trusting = yield* HttpClient.get(`${endpoint}/v2/`).pipe(
        Effect.provide(NodeRegistryHttpClient.layerOptions({ ca }))
      )
      assert.strictEqual(trusting.status, 401)
      const other = yield* Effect.exit(
        HttpClient.get(`${endpoint}/v2/`).pipe(Effect.provide(NodeRegistryHttpClient.layer))
      )
      assert.strictEqual(other._tag, "Failure")
    }).pipe(Effect.provide(AcrEmulator.layer({ https: true })))
  )

  it.live("shows who asked what, without their secrets", () =>
    Effect.gen(function* () {
      const { clearJournal, journal, logins } = yield* AcrEmulator.AcrEmulator
      yield* askAsAdmin("GET", "/acr/v1/_catalog?n=1&_state=secret&sig=secret")
      const entries = yield* journal
      assert.deepInclude(entries[0], {
        server: "registry",
        method: "GET",
        path: "/acr/v1/_catalog",
        query: "n=1&_state=redacted&sig=redacted",
        authorization: "basic",
        status: 200
      })
      assert.notInclude(JSON.stringify(entries), Redacted.value(logins.adminUser.password))
      yield* clearJournal
      assert.deepStrictEqual(yield* journal, [])
    }).pipe(Effect.provide(emulator()))
  )
})

const Granted = Schema.Struct({ access_token: Schema.String })

describe("the command", () => {
  it.live("prints how to log in, serves what it was seeded with, and stops cleanly on Ctrl-C", () =>
    Effect.gen(function* () {
      const home = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(
            process.execPath,
            [
              emulatorFile,
              "--port",
              "0",
              "--seed",
              "library/alpine:3.20",
              "--seed",
              "hello:v1",
              "--abac",
              "--tier",
              "premium"
            ],
            { stdio: ["ignore", "pipe", "inherit"] }
          )
        ),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      const printed = yield* Effect.callback<string>((resume) => {
        let text = ""
        home.stdout.on("data", (chunk) => {
          text += String(chunk)
          if (text.includes("Ctrl-C")) resume(Effect.succeed(text))
        })
      })
      const endpoint = /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0] ?? ""
      assert.include(
        printed,
        `echo emulator | eacr login ${endpoint.replace("http://", "")} -u admin --password-stdin --plain-http\n`
      )
      assert.include(printed, `docker login ${endpoint.replace("http://", "")} -u admin -p emulator`)
      const reply = yield* HttpClient.get(`${endpoint}/v2/`)
      assert.strictEqual(reply.status, 401)
      const service = endpoint.replace("http://", "")
      const { access_token } = yield* HttpClientResponse.schemaBodyJson(Granted)(
        yield* HttpClient.get(`${endpoint}/oauth2/token?service=${service}&scope=repository:*:*`, {
          headers: { authorization: `Basic ${btoa("admin:emulator")}` }
        })
      )
      // With rights by repository no token is for all of them.
      assert.include(Buffer.from(access_token.split(".")[1] ?? "", "base64url").toString(), '"access":[]')

      const variables = Object.fromEntries(
        Array.from(printed.matchAll(/(REGISTRY_\w+)=(\S+)/g), ([, name, value]) => [name, value])
      )
      const names = yield* ContainerRegistry.ContainerRegistry.use((registry) =>
        Stream.runCollect(registry.repositories())
      ).pipe(
        Effect.provide(ContainerRegistry.layerConfig().pipe(Layer.provide(Credentials.layerConfig()))),
        Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(variables))
      )
      assert.deepStrictEqual(names, ["hello", "library/alpine"])

      const before = yield* folders
      const code = yield* Effect.callback<number | null>((resume) => {
        home.on("exit", (code) => resume(Effect.succeed(code)))
        home.kill("SIGINT")
      })
      // What a shell expects of a program that ended by Ctrl-C.
      assert.strictEqual(code, 130)
      assert.isTrue(before.some((name) => !existsSync(`${tmpdir()}/${name}`)))
    }).pipe(Effect.provide(NodeRegistryHttpClient.layer))
  )

  it.live.each([
    [["--port", "PORT"], /^acr-emulator cannot start: listen EADDRINUSE.*--port 0 takes a free port$/],
    [
      ["--port", "0", "--directory", emulatorFile],
      /^acr-emulator cannot start: .*main\.js can't hold a registry: E[^;]*$/
    ],
    [["--seed", "library/alpine"], /Expected an image such as library\/alpine:3\.20, got library\/alpine$/],
    [["--port", "99999"], /between 0 and 65535$/],
    [["--tier", "gold"], /basic.*standard.*premium/]
  ] as const)("says in a line why it cannot start: %j", ([flags, line]) =>
    Effect.gen(function* () {
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      const args = flags.map((flag) => flag.replace("PORT", loginServer.slice(loginServer.indexOf(":") + 1)))
      const { status, stderr } = spawnSync(process.execPath, [emulatorFile, ...args], {
        encoding: "utf8",
        env: { ...process.env, NO_COLOR: "1" }
      })
      assert.strictEqual(status, 1)
      assert.match(stderr.trim().split("\n").at(-1)?.trim() ?? "", line)
    }).pipe(Effect.provide(emulator()))
  )
})
