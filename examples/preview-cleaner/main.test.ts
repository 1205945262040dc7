/**
 * The whole program, as a pipeline runs it: beside a registry and something that answers as GitHub does.
 */
import { execFile } from "node:child_process"
import { createServer } from "node:http"
import { fileURLToPath } from "node:url"
import { AcrEmulator } from "@effect-acr/emulator"
import { NodeHttpServer } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"

/** Pull request 1 was closed long ago, others are open, and the service answers no request without a token. */
const GitHub = HttpServer.serve(
  Effect.gen(function* () {
    const { headers, url } = yield* HttpServerRequest.HttpServerRequest
    if (headers["authorization"] !== "Bearer github-token") return HttpServerResponse.empty({ status: 401 })
    return yield* HttpServerResponse.json({
      closed_at: url === "/repos/contoso/web/pulls/1" ? "2026-01-01T00:00:00Z" : null
    })
  })
).pipe(Layer.provideMerge(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 })))

it.live("sweeps a registry", () =>
  Effect.gen(function* () {
    const emulator = yield* AcrEmulator.AcrEmulator
    const { adminUser } = emulator.logins
    yield* emulator.seed({ repository: "web", tags: ["pr-1"], layers: ["closed"] })
    yield* emulator.seed({ repository: "web", tags: ["pr-2"], layers: ["open"] })
    const github = yield* HttpServer.addressFormattedWith(Effect.succeed)
    const printed = yield* Effect.callback<string>((resume) => {
      const child = execFile(
        process.execPath,
        [fileURLToPath(new URL("main.ts", import.meta.url))],
        {
          env: {
            REGISTRY_ENDPOINT: emulator.endpoint,
            REGISTRY_USERNAME: adminUser.username,
            REGISTRY_PASSWORD: Redacted.value(adminUser.password),
            REPOSITORY: "web",
            GITHUB_API_URL: github,
            GITHUB_REPOSITORY: "contoso/web",
            GITHUB_TOKEN: "github-token"
          }
        },
        (_, stdout, stderr) => resume(Effect.succeed(stdout + stderr))
      )
      return Effect.sync(() => child.kill())
    })
    assert.strictEqual(printed, "web: pr-1 deleted\n")
  }).pipe(Effect.provide([AcrEmulator.layer(), GitHub]))
)
