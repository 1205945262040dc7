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

it.effect("a program of a dry run of purge deletes nothing, and that of a plan writes it", () =>
  Effect.gen(function* () {
    const call = ["purge", "myregistry.azurecr.io/shop/api", "--untagged"]
    assert.include(yield* explained(...call), "Retention.apply(")
    assert.notInclude(yield* explained(...call, "--dry-run"), "Retention.apply(")
    const planning = yield* explained(...call, "--plan", "plan.json")
    assert.notInclude(planning, "Retention.apply(")
    assert.include(planning, 'writeFileString("plan.json"')
  })
)

it.effect("a warning says that the program does what a dry run would only show", () =>
  Effect.gen(function* () {
    const name = "myregistry.azurecr.io/shop/api:v1"
    for (const call of [
      ["rm", name],
      ["untag", name],
      ["tag", name, "v2"],
      ["lock", name],
      ["trash", "restore", name]
    ]) {
      const { stderr } = yield* eacr([...call, "--dry-run", "--explain"], { env: { HOME: "/nonexistent" } })
      assert.strictEqual(stderr, "warning: this program does what --dry-run only shows\n")
    }
  })
)

it.effect("a warning says which flags of connections the program lacks", () =>
  Effect.gen(function* () {
    const call = ["ls", "registry.example", "--plain-http", "--explain"]
    const { code, stderr } = yield* eacr(call, { env: { HOME: "/nonexistent" } })
    assert.strictEqual(code, 0)
    assert.match(stderr, /^warning: this program ignores --plain-http and --ca-file/)
  })
)

it.effect("arguments of a user are text in a program, and no code", () =>
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
