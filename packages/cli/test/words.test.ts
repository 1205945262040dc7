/**
 * The hints of the command after a wrong call.
 */
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { exitCodeMeanings, exitCodes } from "../src/exitCode.ts"
import { otherFlags, otherNames } from "../src/otherNames.ts"
import { root } from "../src/root.ts"
import { eacr } from "./support/eacr.ts"
import { loggedIn } from "./support/registry.ts"

const env = { HOME: "/nonexistent" }

const verbs = root.subcommands.flatMap(({ commands }) => commands.map(({ name }) => name))

const linesOf = (text: string) => text.split("\n").filter((line) => line !== "")

layer(AcrEmulator.layer({ seed: [{ repository: "shop/api", tags: ["v1"] }] }), { excludeTestServices: true })(
  "words",
  (it) => {
    it.effect("a name of another command leads to the verb that does the same", () =>
      Effect.gen(function* () {
        for (const [name, suggestions] of otherNames) {
          assert.notInclude(verbs, name)
          for (const suggestion of suggestions) {
            if (!suggestion.startsWith("--")) assert.include(verbs, suggestion, name)
          }
          const { code, stderr, stdout } = yield* eacr([name], { env })
          assert.deepStrictEqual({ code, stdout }, { code: 2, stdout: "" })
          assert.include(stderr, `Did you mean this?\n    ${suggestions.join("\n    ")}\n`, name)
        }
        const misspelt = yield* eacr(["shwo"], { env })
        assert.include(misspelt.stderr, "    show\n")
      })
    )

    it.effect("a flag of another command leads to the one that does the same", () =>
      Effect.gen(function* () {
        const help = (yield* Effect.forEach(["cp", "login"], (verb) => eacr([verb, "--help"], { env })))
          .map(({ stdout }) => stdout)
          .join("\n")
        for (const [flag, suggestions] of otherFlags) {
          assert.notInclude(help, ` ${flag} `)
          for (const suggestion of suggestions) assert.include(help, `  ${suggestion.split(/[ ,]/)[0]} `)
          const { code, stderr } = yield* eacr(["cp", flag, "a", "b"], { env })
          assert.strictEqual(code, 2)
          assert.include(stderr, `Did you mean this?\n    ${suggestions.join("\n    ")}\n`, flag)
        }
      })
    )

    it.effect("a new tag that is written as a whole name leads to the tag alone", () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* eacr(["tag", "localhost:1/shop/api:v1", "localhost:1/shop/api:v2"], { env })
        assert.strictEqual(code, 2)
        assert.include(stderr, "A tag stands alone here: v2")
      })
    )

    it.effect("files before the repository lead to the order that push has", () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* eacr(["push", "report.pdf", "localhost:1/shop/report:v1,latest"], { env })
        assert.strictEqual(code, 2)
        assert.include(stderr, "eacr push localhost:1/shop/report:v1,latest report.pdf\n")
      })
    )

    it.effect("a repository before the archive leads to the order that import and export have", () =>
      Effect.gen(function* () {
        const [a, b] = ["localhost:1/shop/api:v1", "localhost:1/shop/api:v2"]
        const exported = yield* eacr(["export", a, "new.tar", b], { env })
        assert.strictEqual(exported.code, 2)
        assert.include(exported.stderr, `the file comes last: eacr export ${a} ${b} new.tar\n`)
        const imported = yield* eacr(["import", "localhost:1/shop/api", "old.tar"], { env })
        assert.strictEqual(imported.code, 2)
        assert.include(imported.stderr, "eacr import old.tar localhost:1/shop/api\n")
      })
    )

    it.effect("files and folders that do not fit lead to words and flags of the command", () =>
      Effect.gen(function* () {
        for (const file of ["nothere", "-", "x:notatype"]) {
          const { code, stderr } = yield* eacr(["push", "localhost:1/shop/report:v1", file], { env })
          assert.strictEqual(code, 4)
          assert.strictEqual(linesOf(stderr)[1], `  there is no file ${file}`)
        }
        const { stderr } = yield* eacr(["ls", "--archive", import.meta.dirname], { env })
        assert.include(stderr, "this is a folder: --layout,")
      })
    )

    it.effect("a tag that is not there leads to those that are, also from a copy", () =>
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const { code, stderr } = yield* loggedIn(["cp", "$REGISTRY/shop/api:v9", "$REGISTRY/shop/copy"])
        assert.strictEqual(code, 4)
        assert.include(stderr, `What tags there are: eacr ls ${loginServer}/shop/api\n`)
      })
    )

    it.effect("a tag that cannot be exported leads to those that can", () =>
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const target = join(mkdtempSync(join(tmpdir(), "eacr-words-")), "target")
        for (const args of [
          ["export", "$REGISTRY/shop/api:v9", target],
          ["export", "$REGISTRY/shop/api:v1", "$REGISTRY/shop/api:v9", target],
          ["export", "$REGISTRY/shop/api:v9", target, "--format", "layout"],
          ["cp", "$REGISTRY/shop/api:v9", "--to-archive", target]
        ]) {
          const { code, stderr } = yield* loggedIn(args)
          assert.strictEqual(code, 4)
          assert.include(stderr, `  What tags there are: eacr ls ${loginServer}/shop/api\n`)
        }
      })
    )

    it.effect("a part of the names of repositories leads to those repositories", () =>
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const { code, stderr } = yield* loggedIn(["ls", "$REGISTRY/shop"])
        assert.strictEqual(code, 4)
        assert.include(stderr, `eacr ls ${loginServer} --include 'shop/*'\n`)
        const listed = yield* loggedIn(["ls", "$REGISTRY/", "--include", "shop/*"])
        assert.strictEqual(listed.stdout, "shop/api\n", listed.stderr)
      })
    )

    it.effect("a registry with a scheme leads to its name", () =>
      Effect.gen(function* () {
        for (const verb of ["login", "whoami", "doctor"]) {
          const { code, stderr } = yield* eacr([verb, "http://localhost:5000/"], { env })
          assert.strictEqual(code, 2)
          assert.include(stderr, "a registry is named without a scheme: expected localhost:5000\n")
        }
      })
    )

    it.effect("a folder after the artifact leads to the flag that pull has for it", () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* eacr(["pull", "localhost:1/shop/site:v1", "public"], { env })
        assert.strictEqual(code, 2)
        assert.include(stderr, "-o DIR")
      })
    )

    it.effect("a name without a tag leads to the tags, or says which one was assumed", () =>
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const list = `eacr ls ${loginServer}/shop/api`
        for (const verb of ["rm", "untag"]) {
          const { code, stderr } = yield* loggedIn([verb, "$REGISTRY/shop/api"])
          assert.strictEqual(code, 2)
          assert.include(stderr, list)
        }
        const { code, stderr } = yield* loggedIn(["digest", "$REGISTRY/shop/api"])
        assert.strictEqual(code, 4)
        assert.include(stderr, `the name has no tag, so that latest was looked for. What tags there are: ${list}\n`)
      })
    )

    it.effect("a repository that is not there is not an empty list, with --long as without", () =>
      Effect.gen(function* () {
        for (const flags of [[], ["--long"], ["--sort", "newest"]]) {
          const { code, stdout } = yield* loggedIn(["ls", "$REGISTRY/shop/missing", ...flags])
          assert.deepStrictEqual({ code, stdout }, { code: 4, stdout: "" })
        }
        const none = yield* loggedIn(["ls", "$REGISTRY/shop/api", "--long", "--include", "none*"])
        assert.strictEqual(none.code, 0)
      })
    )

    it.effect("the storage of a registry leads to its repositories", () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* eacr(["du", "localhost:1"], { env })
        assert.strictEqual(code, 2)
        assert.include(stderr, "eacr ls localhost:1\n")
      })
    )

    it.effect("the help has the exit codes, and that of verbs has not", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(
          exitCodeMeanings.map(([code]) => code),
          Object.values(exitCodes)
        )
        const { stdout } = yield* eacr(["--help"], { env })
        assert.include(stdout, "EXIT CODES\n  0    done\n")
        assert.notInclude((yield* eacr(["ls", "--help"], { env })).stdout, "EXIT CODES")
      })
    )

    it.effect("an address is written as a reference, unless it has a login", () =>
      Effect.gen(function* () {
        const shown = yield* eacr(["show", "https://localhost:5000/shop/api:v1"], { env })
        assert.strictEqual(shown.code, 2)
        assert.include(shown.stderr, "a reference has no scheme: expected localhost:5000/shop/api:v1")
        const secret = yield* eacr(["show", "https://user:S3CRET@localhost/shop/api"], { env })
        assert.include(secret.stderr, "expected myregistry.azurecr.io/library/alpine:3.20")
        assert.notInclude(secret.stderr, "S3CRET")
      })
    )

    it.effect("a registry without TLS leads to --plain-http", () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* loggedIn(["ls", "$REGISTRY", "--no-plain-http"])
        assert.strictEqual(code, 7)
        assert.include(stderr, "for a registry without TLS: --plain-http")
        assert.notInclude(stderr, "endpoint")
        const { stdout } = yield* loggedIn(["doctor", "$REGISTRY", "--no-plain-http"])
        assert.include(
          stdout,
          "the server does not speak TLS\nconnection\tadvice\tfor a registry without TLS: --plain-http"
        )
      })
    )

    it.effect("a wrong login is one line each: what, why, and what to do", () =>
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const auths = { [loginServer]: { auth: btoa("admin:wrong") } }
        const wrong = yield* eacr(["ls", loginServer], {
          env: { ...env, DOCKER_AUTH_CONFIG: JSON.stringify({ auths }) }
        })
        assert.strictEqual(wrong.code, 5)
        const [what = "", why = "", help = "", ...others] = linesOf(wrong.stderr)
        assert.deepStrictEqual(others, [])
        assert.strictEqual(what, `error: cannot list ${loginServer}`)
        assert.match(why, /^ {2}UNAUTHORIZED: authentication required/)
        assert.include(help, `eacr login ${loginServer}`)

        const none = yield* eacr(["ls", loginServer], { env })
        assert.lengthOf(linesOf(none.stderr), 3, none.stderr)
        assert.include(none.stderr, "docker configuration: there is no login for")
        assert.notInclude(none.stderr, "AzureC")
        assert.notInclude(none.stderr, "..")
      })
    )
  }
)
