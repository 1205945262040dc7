/**
 * The search for secrets in what tests write finds them, wherever they are.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { usualSpellings } from "../packages/client/test/support/spellings.ts"
import { forget, leaks } from "./support/noSecrets.ts"

const found = <E>(write: (secret: string) => Effect.Effect<unknown, E>) =>
  Effect.gen(function* () {
    const secret = Redacted.make("planted/secret+of=this")
    yield* Effect.exit(write(Redacted.value(secret)))
    const texts = leaks()
    forget()
    return texts
  })

const ways: ReadonlyArray<readonly [string, (secret: string) => Effect.Effect<unknown, unknown>]> = [
  ["a log at the finest level", (secret) => Effect.logTrace(`password ${secret}`)],
  ["an annotation of a log", (secret) => Effect.logDebug("asked").pipe(Effect.annotateLogs({ secret }))],
  ["the cause of a log", (secret) => Effect.logDebug("failed", Cause.fail({ secret }))],
  ["the console", (secret) => Effect.sync(() => console.log({ deep: { down: secret } }))],
  ["the name of a span", (secret) => Effect.void.pipe(Effect.withSpan(`GET /?_state=${encodeURIComponent(secret)}`))],
  ["an attribute of a span", (secret) => Effect.void.pipe(Effect.withSpan("a", { attributes: { secret } }))],
  [
    "an event of a span",
    (secret) =>
      Effect.currentSpan.pipe(
        Effect.tap((span) => Effect.sync(() => span.event("failed", 0n, { secret }))),
        Effect.withSpan("a")
      )
  ],
  ["the end of a span", (secret) => Effect.fail({ secret }).pipe(Effect.withSpan("a"))]
]

describe("a secret is found in", () => {
  for (const [name, write] of ways) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const texts = yield* found(write)
        assert.isNotEmpty(texts)
        for (const text of texts) assert.match(text, /planted/)
      })
    )
  }

  for (const { name, write } of usualSpellings) {
    it.effect(`a text that has it ${name}`, () =>
      Effect.gen(function* () {
        for (const around of [(text: string) => text, (text: string) => `"${text}",`, (text: string) => ({ text })]) {
          const texts = yield* found((secret) => Effect.logTrace(around(write(secret))))
          assert.strictEqual(texts.length, 1)
        }
      })
    )
  }

  it.effect("nothing that does not hold it", () =>
    Effect.gen(function* () {
      const texts = yield* found(() =>
        Effect.logTrace("asked").pipe(
          Effect.withSpan("a", { attributes: { secret: Redacted.make("planted/secret+of=this") } })
        )
      )
      assert.deepStrictEqual(texts, [])
    })
  )
})
