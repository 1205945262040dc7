/**
 * Programs that `--explain` prints. Another test compiles them.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eacr } from "./support/eacr.ts"

const explained = (...args: ReadonlyArray<string>) =>
  Effect.map(eacr([...args, "--explain"], { env: { HOME: "/nonexistent" } }), ({ code, stderr, stdout }) => {
    assert.strictEqual(code, 0, stderr)
    return stdout
  })

const digest = `sha256:${"0".repeat(64)}`

it.effect("a program takes the digest where the call has a tag as well", () =>
  Effect.gen(function* () {
    const program = yield* explained("digest", `myregistry.azurecr.io/shop/api:v1@${digest}`)
    assert.include(program, `Artifact.resolve(store, "${digest}")`)
  })
)

it.effect("what a user types is text in a program, and no code", () =>
  Effect.gen(function* () {
    const patterns = ["${process}", "`process`"]
    const program = yield* explained(
      "purge",
      "myregistry.azurecr.io/shop/api",
      ...patterns.flatMap((pattern) => ["--tags", pattern])
    )
    const written = /RetentionRules\.parse\((`(?:[^`\\]|\\[^])*`)\)/.exec(program)?.[1] ?? ""
    // Nothing is left that a template would evaluate.
    assert.notMatch(written.replaceAll(/\\[^]/g, ""), /\$\{/)
    for (const pattern of patterns) assert.include(written.replaceAll(/\\([^])/g, "$1"), pattern)
  })
)
