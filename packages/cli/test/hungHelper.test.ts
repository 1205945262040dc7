/**
 * A credential helper that does not answer.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, it } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as TestConsole from "effect/testing/TestConsole"
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
  ({ home, path }) =>
    Effect.sync(() => {
      process.env["PATH"] = path
      rmSync(home, { recursive: true })
    })
)

const emulated = <A, E>(effect: Effect.Effect<A, E, AcrEmulator.AcrEmulator | Scope.Scope>) =>
  effect.pipe(Effect.scoped, Effect.provide(AcrEmulator.layer()))

/** Runs a verb, and lets the time pass at each call of the helper. */
const run = Effect.fnUntraced(function* (verb: string, waits: ReadonlyArray<Duration.Input>) {
  const { loginServer } = yield* AcrEmulator.AcrEmulator
  const { calls, home } = yield* hanging
  const running = yield* Effect.forkChild(eacr([verb, loginServer], { env: { HOME: home } }))
  for (const [index, wait] of waits.entries()) {
    const isCalled = () => calls() === "called\n".repeat(index + 1)
    yield* TestClock.withLive(Effect.repeat(Effect.sleep("20 millis"), { until: isCalled }))
    yield* TestClock.adjust(wait)
  }
  const ended = yield* Fiber.join(running)
  assert.strictEqual(calls(), "called\n".repeat(waits.length))
  return ended
})

it.effect(
  "is waited for once by whoami, which looks for the login and checks it",
  () =>
    emulated(
      Effect.gen(function* () {
        const { code, stdout } = yield* run("whoami", ["30 seconds"])
        assert.strictEqual(code, 5)
        const warning = "warn: docker-credential-hung is passed over: it did not answer in time"
        assert.deepStrictEqual(yield* TestConsole.errorLines, [warning])
        assert.include(stdout, "docker\tfailed\tdocker-credential-hung: it did not answer in time\n")
      })
    ),
  60_000
)

it.effect(
  "is waited for once by the doctor, which blames it and not a registry that does not answer",
  () =>
    emulated(
      Effect.gen(function* () {
        const { code, stdout } = yield* run("doctor", ["30 seconds"])
        assert.strictEqual(code, 5)
        assert.match(stdout, /^login\tfailed\tdocker-credential-hung: it did not answer in time; /m)
        assert.match(stdout, /^login\tadvice\tno login was sent: .*locked keychain$/m)
        assert.notInclude(stdout, "the server accepts connections")
      })
    ),
  60_000
)
