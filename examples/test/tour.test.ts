/**
 * The tour as a newcomer sees it: without a terminal, on one, and on an old Node.
 */
import { spawn, spawnSync } from "node:child_process"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { stripVTControlCharacters } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { examples } from "../support/examples.ts"
import { excerpt } from "../support/excerpt.ts"

const tour = fileURLToPath(new URL("../quickstart.ts", import.meta.url))

const read = (path: string) => Effect.promise(() => readFile(new URL(`../../${path}`, import.meta.url), "utf8"))

/** Starts a program, which ends with the scope. */
const start = (command: string, args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(command, args, { env: { ...process.env, SHELL: "/bin/sh" } })
      let output = ""
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => (output += stripVTControlCharacters(text)))
      }
      const ended = new Promise<number | null>((resolve) => child.once("close", resolve))
      return {
        child,
        output: () => output,
        code: Effect.promise(() => ended),
        /** Waits for a text in the output. Fails if the program ends without it. */
        shows: (text: string) =>
          Effect.callback<void>((resume) => {
            const look = () => {
              if (output.includes(text)) resume(Effect.void)
            }
            child.stdout.on("data", look)
            child.once("close", () => resume(Effect.die(new Error(`it ended without ${text}:\n${output}`))))
            look()
          }),
        press: (key: string) => Effect.sync(() => child.stdin.write(key))
      }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** The output between two steps, without the lines that name the step. */
const partOf = (output: string, index: number): ReadonlyArray<string> => {
  const from = output.indexOf(`\n${index + 1}. `)
  const to = output.indexOf(`\n${index + 2}. `)
  return output.slice(from, to === -1 ? output.indexOf("\nRun one by itself") : to).split("\n")
}

describe("the tour without a terminal", () => {
  it.live("shows the lines of each example before their results, and never waits", () =>
    Effect.gen(function* () {
      const { code, output } = yield* start(process.execPath, [tour])
      // Standard input stays open: a program that read from it would not end.
      assert.strictEqual(yield* code, 0, output())
      for (const [index, { name, shows, title }] of examples.entries()) {
        const [, heading, file, , ...rest] = partOf(output(), index)
        assert.deepStrictEqual([heading, file], [`${index + 1}. ${title}`, `   examples/${name}.ts`])
        const lines = excerpt(yield* read(`examples/${name}.ts`), shows)
        assert.deepStrictEqual(
          rest.slice(0, lines.length),
          lines.map((line) => `   ${line}`)
        )
        const results = rest.slice(lines.length).filter((line) => line !== "" && !/^ {3}\d+ requests$/.test(line))
        assert.isNotEmpty(results, `${name} prints nothing`)
      }
      assert.strictEqual(output().match(/The number of requests/g)?.length, 1)
      assert.notInclude(output(), "Space: next step")

      // What time brings about is seen here, where it passes.
      assert.match(output(), /stable +is new: .*\n.*latest +has moved: .* → .*\n.*stable +has moved: /)
      assert.match(output(), /\nrelease\n {2}RegistryContent\.uploadBlob\n {4}RegistryContent\.openUpload\n/)
      assert.match(output(), /sent {6}5 of 5 blobs/)
    })
  )
})

/** Other systems have another `script`, or none. */
const hasTerminals = spawnSync("script", ["--version"]).stdout?.toString().includes("util-linux") ?? false

const onTerminal = start("script", ["-qefc", `'${process.execPath}' '${tour}'`, "/dev/null"])

describe.skipIf(!hasTerminals)("the tour on a terminal (skipped without util-linux)", () => {
  it.live("waits for a key before each step, and q leaves", () =>
    Effect.gen(function* () {
      const { code, output, press, shows } = yield* onTerminal
      yield* shows("q: leave")
      assert.notInclude(output(), "1. List")
      yield* press(" ")
      yield* shows("4 requests")
      yield* press("\r")
      yield* shows("3 requests")
      yield* press("q")
      assert.strictEqual(yield* code, 0)
      assert.include(output(), "2. List the tags")
      assert.notInclude(output(), "3. Lock")
      assert.include(output(), "Run one by itself")
    })
  )

  it.live("a shows all others, and Ctrl-C leaves", () =>
    Effect.gen(function* () {
      const all = yield* onTerminal
      yield* all.shows("q: leave")
      yield* all.press("a")
      assert.strictEqual(yield* all.code, 0)
      assert.include(all.output(), `${examples.length}. `)

      const left = yield* onTerminal
      yield* left.shows("q: leave")
      yield* left.press("\u0003")
      assert.strictEqual(yield* left.code, 0)
      assert.notInclude(left.output(), "1. List")
    })
  )
})

describe("an excerpt of a program", () => {
  const program = [
    "const layer = make({",
    "  first: 1,",
    "  second: [",
    "    run(one, {",
    "      two: 2",
    "    }),",
    "    three",
    "  ]",
    "}).pipe(",
    "  last",
    ")",
    "",
    "const next = 1"
  ].join("\n")

  it("holds whole statements, and says where lines are left out", () => {
    assert.deepStrictEqual(excerpt(program, ["const layer"]), program.split("\n").slice(0, -2))
    assert.deepStrictEqual(excerpt(program, ["run(one", "const next"]), [
      "run(one, {",
      "  two: 2",
      "})",
      "…",
      "const next = 1"
    ])
  })

  it("is refused for a text that begins no line, or several", () => {
    assert.throws(() => excerpt(program, ["const previous"]), "0 lines contain: const previous")
    assert.throws(() => excerpt(program, ["const"]), "2 lines contain: const")
  })
})

const decodePackage = Schema.decodeEffect(Schema.fromJsonString(Schema.Struct({ version: Schema.String })))

describe("the workspace", () => {
  it.effect("tells pnpm which Node it brings, so that pnpm warns of no other", () =>
    Effect.gen(function* () {
      const settings = yield* read("pnpm-workspace.yaml")
      const { version } = yield* decodePackage(yield* read("node_modules/node/package.json"))
      assert.include(settings.split("\n"), `nodeVersion: ${version}`)
    })
  )
})
