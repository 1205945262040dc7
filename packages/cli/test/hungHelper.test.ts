/**
 * A credential helper that does not answer.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { eacr } from "./support/eacr.ts"

/** The home of a user whose helper notes each call, and never answers. */
const hanging = Effect.acquireRelease(
  Effect.sync(() => {
    const home = mkdtempSync(join(tmpdir(), "effect-acr-hung-"))
    const calls = join(home, "calls")
    mkdirSync(join(home, ".docker"))
    writeFileSync(join(home, ".docker", "config.json"), JSON.stringify({ credsStore: "hung" }))
    writeFileSync(join(home, "docker-credential-hung"), `#!/bin/sh\necho called >> '${calls}'\nexec sleep 600\n`, {
      mode: 0o755
    })
    const path = process.env["PATH"] ?? ""
    process.env["PATH"] = `${home}${delimiter}${path}`
    return { calls: () => (existsSync(calls) ? readFileSync(calls, "utf8") : ""), home, path }
  }),
  ({ path }) =>
    Effect.sync(() => {
      process.env["PATH"] = path
    })
)

it.effect(
  "is waited for once by whoami, which looks for the login and checks it",
  () =>
    Effect.gen(function* () {
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      const { calls, home } = yield* hanging
      const running = yield* Effect.forkChild(eacr(["whoami", loginServer], { env: { HOME: home } }))
      yield* TestClock.withLive(Effect.repeat(Effect.sleep("20 millis"), { until: () => calls() !== "" }))
      yield* TestClock.adjust("30 seconds")
      const { code, stdout } = yield* Fiber.join(running)
      assert.strictEqual(code, 5)
      assert.include(stdout, "docker\tfailed\tdocker-credential-hung: it did not answer in time\n")
      assert.strictEqual(calls(), "called\n")
    }).pipe(Effect.scoped, Effect.provide(AcrEmulator.layer())),
  60_000
)
