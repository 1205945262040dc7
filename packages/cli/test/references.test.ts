/**
 * How artifacts are named.
 */
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eacr } from "./support/eacr.ts"
import { loggedIn } from "./support/registry.ts"

const emulator = AcrEmulator.layer({ seed: [{ repository: "shop/api", tags: ["latest"] }] })

layer(emulator, { excludeTestServices: true })("references", (it) => {
  it.effect("are a tag, a digest, both, or neither for latest", () =>
    Effect.gen(function* () {
      const tag = yield* loggedIn(["digest", "$REGISTRY/shop/api:latest"])
      const digest = tag.stdout.trim()
      for (const reference of [`@${digest}`, `:other@${digest}`, ""]) {
        const { stdout } = yield* loggedIn(["digest", `$REGISTRY/shop/api${reference}`])
        assert.strictEqual(stdout.trim(), digest, reference)
      }
    })
  )

  it.effect("may have an IPv6 address with a port", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* eacr(["digest", "[::1]:1/shop/api:v1"], { env: { HOME: "/nonexistent" } })
      assert.strictEqual(code, 7)
      assert.include(stderr, "HEAD http://[::1]:1/v2/shop/api/manifests/v1")
    })
  )

  it.effect("with a capital letter say which", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* eacr(["digest", "localhost:5000/shop/Api:v1"])
      assert.strictEqual(code, 2)
      assert.include(stderr, 'has "A": expected localhost:5000/shop/api:v1')
    })
  )

  it.effect("that begin with a hyphen follow --", () =>
    Effect.gen(function* () {
      const wrong = yield* eacr(["digest", "-odd"])
      assert.strictEqual(wrong.code, 2)
      const name = yield* eacr(["digest", "--layout", "/nonexistent/layout", "--", "-odd"])
      assert.strictEqual(name.code, 4)
      assert.include(name.stderr, "cannot find -odd")
    })
  )

  it.effect("print no control characters of the registry", () =>
    Effect.gen(function* () {
      const { stderr } = yield* eacr(["digest", "localhost:5000/shop/api:\u001b[31mred"])
      assert.notInclude(stderr, "\u001b")
      assert.include(stderr, "\\u001b")
    })
  )
})
