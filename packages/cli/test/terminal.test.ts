/**
 * What verbs print on a terminal: columns with a header, sizes with units, and colors unless they are turned off.
 */
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { loggedIn } from "./support/registry.ts"

const emulator = AcrEmulator.layer({
  seed: [
    { repository: "shop/api", tags: ["v1"], layers: [{ sizeInBytes: 5_000_000 }], labels: { team: "a" } },
    { repository: "shop/api", tags: ["v2-with-a-long-name"], layers: [{ sizeInBytes: 2048 }], labels: { team: "b" } },
    { repository: "shop/multi", tags: ["v1"], platforms: ["linux/amd64", "linux/arm64"] }
  ],
  softDelete: { retention: "7 days" }
})

const shown = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  loggedIn(args, { isTerminal: true, env: { TERM: "xterm-256color", NO_COLOR: "1", ...env } })

/** Where a word begins in the header and in each row. */
const startsOf = (lines: ReadonlyArray<string>, at: number): ReadonlySet<boolean> =>
  new Set(lines.map((line) => line[at - 1] === " " && line[at] !== " "))

layer(emulator, { excludeTestServices: true })("on a terminal", (it) => {
  describe("a table", () => {
    it.effect("has a header and columns that begin at one place", () =>
      Effect.gen(function* () {
        const { stdout } = yield* shown(["ls", "--long", "$REGISTRY/shop/api"])
        const [header = "", ...rows] = stdout.trimEnd().split("\n")
        assert.lengthOf(rows, 2)
        for (const name of ["DIGEST", "PLATFORMS"]) {
          const at = header.indexOf(name)
          assert.isAbove(at, 0)
          assert.deepStrictEqual([...startsOf([header, ...rows], at)], [true])
        }
        assert.match(stdout, /4\.8 MiB/)
      })
    )

    it.effect("has a dim header, unless NO_COLOR is set or the terminal is dumb", () =>
      Effect.gen(function* () {
        const args = ["ls", "--long", "$REGISTRY/shop/api"]
        const colored = yield* shown(args, { NO_COLOR: "" })
        assert.isTrue(colored.stdout.startsWith("\u001b[2mTAG"))
        const forced = yield* loggedIn(args, { env: { FORCE_COLOR: "1" } })
        assert.notInclude(forced.stdout, "TAG")
        for (const env of [{ NO_COLOR: "1" }, { NO_COLOR: "", TERM: "dumb" }]) {
          assert.notInclude((yield* shown(args, env)).stdout, "\u001b")
        }
      })
    )

    it.effect("of nothing is nothing", () =>
      Effect.gen(function* () {
        const { stdout } = yield* shown(["ls", "--long", "$REGISTRY/shop/api", "--include", "none*"])
        assert.strictEqual(stdout, "")
      })
    )
  })

  const verbs: ReadonlyArray<readonly [args: ReadonlyArray<string>, expected: RegExp]> = [
    [["ls", "$REGISTRY"], /^shop\/api$/m],
    [["show", "$REGISTRY/shop/api:v1"], /^total size +4\.8 MiB$/m],
    [["show", "$REGISTRY/shop/multi:v1"], /^manifests +linux\/amd64 .*\n {10,}linux\/arm64 /m],
    [["du", "$REGISTRY/shop/api"], /4\.8 MiB/],
    [["tree", "$REGISTRY/shop/multi:v1"], /linux\/arm64/],
    [["diff", "$REGISTRY/shop/api:v1", "$REGISTRY/shop/api:v2-with-a-long-name"], /^PLATFORM +WHAT/m],
    [["validate", "$REGISTRY/shop/api:v1"], /no findings/],
    [["whoami", "$REGISTRY"], /^docker +used +admin/m],
    [["doctor", "$REGISTRY"], /^connection +ok +/m],
    [["trash", "ls", "$REGISTRY/shop/api"], /^/],
    [["purge", "$REGISTRY/shop/api", "--untagged", "--dry-run"], /would delete 0 of 2 tags/],
    [["cp", "$REGISTRY/shop/api:v1", "$REGISTRY/shop/other:v1", "--dry-run"], /^DIGEST +TAG +OUTCOME$/m],
    [["--version"], /^eacr \d+\.\d+\.\d+ \(effect 4\./],
    [["ls", "--help"], /^EXIT CODES$|^USAGE$/m]
  ]

  describe("there are no tabs", () => {
    for (const [args, expected] of verbs) {
      it.effect(`in ${args.filter((arg) => !arg.startsWith("$")).join(" ")} of ${args[1] ?? "the command"}`, () =>
        Effect.gen(function* () {
          const { code, stderr, stdout } = yield* shown(args)
          assert.include([0, 10], code, stderr)
          assert.notInclude(stdout, "\t")
          assert.match(stdout, expected)
        })
      )
    }
  })
})
