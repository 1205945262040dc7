/**
 * The examples in the help of each verb, run as they stand on an emulator whose address takes the place of the registry's;
 * and the JSON document of each verb, which is what the schema file says.
 */
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { root } from "../packages/cli/src/root.ts"
import { loggedIn } from "../packages/cli/test/support/registry.ts"
import { eacrFile } from "./support/programs.ts"
import { asks, codes, elsewhere, prepare, registry, runExample } from "./cli/examples.ts"
import { tasks } from "./cli/tasks.ts"
import { documentsOf, groups, leaves, verbs } from "./cli/verbs.ts"
import { callIn } from "./cli/words.ts"
import { startWith } from "./support/emulatorCommand.ts"

/** Transfers say on standard error what became of all; other verbs say nothing there. */
const sums =
  /^(?:(?:(?:sent|mounted|there already|warning): .+|kept: .+|the plan is in .+|the state is kept in .+|status page: .+|to see labels, environment and commands .+)\n)*$/

/** Runs until it is stopped. */
const serves = "serve"

/** Files that one example writes are there for the next one. */
const there = Layer.effectDiscard(elsewhere).pipe(Layer.provideMerge(registry))

const topVerbs = groups.flatMap((group) => group.verbs).filter(({ name }) => name !== serves)

/** Verbs that print bytes as they are, which no document describes. */
const withoutDocument = ["raw"]

for (const verb of topVerbs) {
  const own = leaves(verb)
  describe(`eacr ${verb.name}`, () => {
    layer(there, { excludeTestServices: true })("runs", (it) => {
      for (const { command } of own.flatMap(({ examples }) => examples)) {
        it.effect(command, () =>
          Effect.gen(function* () {
            yield* prepare(verb.name)
            const { code, stderr } = yield* runExample(command)
            if (asks.includes(command)) {
              assert.strictEqual(code, 2, stderr)
              return assert.include(stderr, "there is no terminal to ask on")
            }
            assert.strictEqual(code, codes[verb.name] ?? 0, stderr)
            assert.match(stderr, sums)
          })
        )
      }
    })

    layer(there, { excludeTestServices: true })("prints JSON with --json:", (it) => {
      for (const { examples } of own) {
        for (const { command } of examples.filter((example) => !asks.includes(example.command)).slice(0, 1)) {
          it.effect(command, () =>
            Effect.gen(function* () {
              yield* prepare(verb.name)
              const { code, stderr, stdout } = yield* runExample(command, ["--json"])
              assert.strictEqual(code, codes[verb.name] ?? 0, stderr)
              const document: unknown = JSON.parse(stdout)
              const schemas = documentsOf(verb.name)
              if (withoutDocument.includes(verb.name)) return assert.deepStrictEqual(schemas, [])
              assert.isTrue(
                schemas.some(({ schema }) => Schema.is(Schema.toEncoded(schema))(document)),
                `no schema describes ${stdout}`
              )
            })
          )
        }
      }
    })
  })
}

describe("every verb", () => {
  it("has an example, which calls it", () => {
    assert.isAbove(verbs.length, 10)
    for (const { examples, path } of verbs) {
      assert.isAbove(examples.length, 0, path.join(" "))
      for (const { command } of examples) {
        assert.deepStrictEqual(callIn(command).slice(0, path.length), path, command)
      }
    }
    assert.strictEqual(root.name, "eacr")
  })
})

describe("eacr serve", () => {
  for (const { command } of verbs.filter(({ path }) => path[0] === serves).flatMap(({ examples }) => examples)) {
    it.effect(command, () =>
      Effect.gen(function* () {
        const args = callIn(command).map((word) => (/^\d+$/.test(word) ? "0" : word))
        const started = yield* startWith(process.execPath, [eacrFile, ...args, "--json"])
        assert.include(started.ready.endpoint, "http")
        assert.strictEqual((yield* started.stop("SIGTERM")).code, 143)
      }).pipe(Effect.scoped)
    )
  }
})

/** Calls that find nothing, and the members of their documents that are empty then. */
const nothing: ReadonlyArray<readonly [string, string]> = [
  ["ls $REGISTRY", "repositories"],
  ["trash ls $REGISTRY", "repositories"],
  ["ls --layout .", "tags"],
  ["purge $REGISTRY/only/tagged --untagged --dry-run", "plans"]
]

layer(AcrEmulator.layer({ softDelete: {} }), { excludeTestServices: true })(
  "with no results, a document comes from",
  (it) => {
    for (const [line, member] of nothing) {
      it.effect(line, () =>
        Effect.gen(function* () {
          yield* elsewhere
          if (line.includes("only/tagged")) {
            const { seed } = yield* AcrEmulator.AcrEmulator
            yield* seed({ repository: "only/tagged", tags: ["v1"] })
          }
          const { code, stdout } = yield* loggedIn([...line.split(" "), "--json"])
          assert.strictEqual(code, 0)
          const document: unknown = JSON.parse(stdout)
          assert.property(document, member)
          assert.property(document, "version")
        }).pipe(Effect.scoped)
      )
    }
  }
)

layer(there, { excludeTestServices: true })("docs/cli/tasks.md:", (it) => {
  for (const { line, title } of tasks.filter((task) =>
    verbs.some(({ path }) => task.line.startsWith(`eacr ${path.join(" ")} `))
  )) {
    it.effect(title, () =>
      Effect.gen(function* () {
        yield* prepare("tasks")
        const { code, stderr, stdout } = yield* runExample(line)
        assert.strictEqual(code, 0, stderr)
        assert.notStrictEqual(stdout, "")
      })
    )
  }

  it("has twelve tasks", () => {
    assert.lengthOf(tasks, 12)
  })
})
