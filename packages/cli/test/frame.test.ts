/**
 * What all verbs share: output streams and exit codes.
 */
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eacr } from "./support/eacr.ts"
import { loggedIn } from "./support/registry.ts"

const seeded = AcrEmulator.layer({ seed: [{ repository: "shop/api", tags: ["v1.4.0", "stable"] }] })

layer(seeded, { excludeTestServices: true })("the command", (it) => {
  describe("answers", () => {
    it.effect("go to standard output alone", () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* loggedIn(["digest", "$REGISTRY/shop/api:v1.4.0"])
        assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
        assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/)
      })
    )

    it.effect("are one JSON document with --json, before and after the verb", () =>
      Effect.gen(function* () {
        const after = yield* loggedIn(["digest", "$REGISTRY/shop/api:v1.4.0", "--json"])
        const before = yield* loggedIn(["--json", "digest", "$REGISTRY/shop/api:v1.4.0"])
        const { digest, version } = JSON.parse(after.stdout)
        assert.match(digest, /^sha256:/)
        assert.strictEqual(version, 1)
        assert.strictEqual(before.stdout, after.stdout)
      })
    )

    it.effect("escape control characters in JSON", () =>
      Effect.gen(function* () {
        const { seed } = yield* AcrEmulator.AcrEmulator
        yield* seed({ repository: "shop/odd", tags: ["v1"], annotations: { odd: "\u009b31m \u202e \u{e0001}" } })
        const { stdout } = yield* loggedIn(["show", "$REGISTRY/shop/odd:v1", "--json"])
        assert.notMatch(stdout.trimEnd(), /[\p{Cc}\p{Cf}]/u)
        assert.include(JSON.stringify(JSON.parse(stdout)), "\u{e0001}")
      })
    )

    it.effect("list names as they arrive", () =>
      Effect.gen(function* () {
        const { stdout } = yield* loggedIn(["ls", "$REGISTRY/shop/api"])
        assert.strictEqual(stdout, "stable\nv1.4.0\n")
      })
    )
  })

  describe("failures", () => {
    it.effect("say what, why and what to do on standard error", () =>
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const { code, stderr, stdout } = yield* loggedIn(["digest", "$REGISTRY/shop/api:v9"])
        assert.deepStrictEqual({ code, stdout }, { code: 4, stdout: "" })
        assert.strictEqual(
          stderr,
          [
            `error: cannot find ${loginServer}/shop/api:v9`,
            `  v9: ${loginServer}/shop/api has no such tag or digest`,
            `  What tags there are: eacr ls ${loginServer}/shop/api\n`
          ].join("\n")
        )
      })
    )

    it.effect("name the login that is missing", () =>
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const { code, stderr, stdout } = yield* eacr(["ls", `${loginServer}/shop/api`], {
          env: { HOME: "/nonexistent" }
        })
        assert.deepStrictEqual({ code, stdout }, { code: 5, stdout: "" })
        assert.include(stderr, `eacr login ${loginServer}`)
      })
    )

    it.effect("are 2 for a flag that is not known, with a suggestion and no help on standard output", () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* eacr(["digest", "localhost:1/a:b", "--platfrm", "linux/arm64"])
        assert.deepStrictEqual({ code, stdout }, { code: 2, stdout: "" })
        assert.include(stderr, "--platform")
      })
    )

    it.effect("are 2 for a reference without a registry", () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* eacr(["digest", "alpine:3.20"])
        assert.strictEqual(code, 2)
        assert.include(stderr, "docker.io/library/alpine:3.20")
      })
    )
  })
})
