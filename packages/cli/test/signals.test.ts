/**
 * The command as a process: interrupted, on terminals of any width, and with readers that go away.
 */
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Layer from "effect/Layer"
import { onTerminal, shell, shellLine, start } from "./support/command.ts"
import { loggedIn } from "./support/registry.ts"
import * as FullPipe from "./support/fullPipe.ts"
import { screen } from "./support/screen.ts"

const limit = 120_000

/** Seeds an image whose layers stall when so many bytes of each are sent. */
const stalled = (repository: string) =>
  Effect.gen(function* () {
    const emulator = yield* AcrEmulator.AcrEmulator
    yield* emulator.clearFaults
    yield* emulator.seed({ repository, tags: ["v1"], layers: [{ sizeInBytes: 3_000_000 }, { sizeInBytes: 5_000_000 }] })
    yield* emulator.inject({
      method: "GET",
      path: /\/blobs\/sha256\/[^/]+\/data/,
      times: "always",
      consequence: { _tag: "StallBody", afterBytes: 1_000_000 }
    })
  })

const temporary = Effect.flatMap(FileSystem.FileSystem, (files) => files.makeTempDirectoryScoped())

const total = /MiB of 7\.6 MiB/

const emulated = AcrEmulator.layer({ seed: [{ repository: "shop/api", tags: ["v1"] }] })

layer(Layer.merge(emulated, NodeServices.layer), { excludeTestServices: true })("a current folder", (it) => {
  it.effect(
    "that was deleted is said to be gone where a path is relative",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporary
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const image = `${loginServer}/shop/api:v1`
        const files = yield* FileSystem.FileSystem
        yield* files.writeFileString(`${folder}/a.txt`, "a")
        yield* loggedIn(["push", "$REGISTRY/shop/files:v1", `${folder}/a.txt`])
        for (const args of [
          ["pull", `${loginServer}/shop/files:v1`, "--output", "out"],
          ["export", image, "out.tar"],
          ["cp", image, "--to-layout", "out"]
        ]) {
          const gone = `mkdir ${folder}/gone && cd ${folder}/gone && rmdir ${folder}/gone && ${shellLine(args)}`
          const started = yield* shell(gone)
          assert.strictEqual(yield* started.ended, 1, started.stderr())
          assert.include(started.stderr(), "the current folder is no longer there")
          assert.notInclude(started.stderr(), "bug")
        }
      }),
    limit
  )
})

layer(Layer.merge(emulated, NodeServices.layer), { excludeTestServices: true })("a transfer", (it) => {
  describe("that is interrupted", () => {
    it.effect(
      "by Ctrl-C says how far it came, leaves nothing behind, and continues",
      () =>
        Effect.gen(function* () {
          const files = yield* FileSystem.FileSystem
          const folder = yield* temporary
          yield* stalled("stop/copy")
          const copy = ["cp", "$REGISTRY/stop/copy:v1", "--to-layout", `${folder}/layout`]
          const shown = yield* onTerminal(copy, { columns: 80 })
          yield* shown.until(({ stdout }) => total.test(stdout))
          yield* shown.type("\u0003")
          assert.strictEqual(yield* shown.ended, 130)
          const left = screen(shown.shown(), 80).filter((line) => line !== "")
          assert.lengthOf(left, 1, left.join("\n"))
          assert.match(
            left[0] ?? "",
            /^(?:\^C)?interrupted: \d+ objects?, [\d.]+ \w+ done; the same command continues$/
          )
          assert.deepStrictEqual(yield* files.readDirectory(`${folder}/layout/ingest`), [])

          const emulator = yield* AcrEmulator.AcrEmulator
          yield* emulator.clearFaults
          const { code } = yield* loggedIn(copy)
          assert.strictEqual(code, 0)
        }),
      limit
    )

    for (const [signal, expected] of [
      ["SIGTERM", 143],
      ["SIGHUP", 129]
    ] as const) {
      it.effect(
        `by ${signal} ends with ${expected}, and the file that was to be written is not there`,
        () =>
          Effect.gen(function* () {
            const files = yield* FileSystem.FileSystem
            const folder = yield* temporary
            yield* stalled(`stop/${signal.toLowerCase()}`)
            const started = yield* start(["export", `$REGISTRY/stop/${signal.toLowerCase()}:v1`, `${folder}/api.tar`])
            yield* Effect.repeat(Effect.sleep("50 millis"), {
              until: () => Effect.map(files.readDirectory(folder), (names) => names.length > 0)
            })
            started.process.kill(signal)
            assert.strictEqual(yield* started.ended, expected)
            assert.strictEqual(started.stdout(), "")
            assert.match(started.stderr(), /^interrupted: .*no file was changed; the same command starts again\n$/)
            assert.deepStrictEqual(yield* files.readDirectory(folder), [])
          }),
        limit
      )
    }

    it.effect(
      "twice ends at once, although the registry does not answer the clean-up",
      () =>
        Effect.gen(function* () {
          const emulator = yield* AcrEmulator.AcrEmulator
          const folder = yield* temporary
          yield* stalled("stop/twice")
          yield* emulator.clearFaults
          yield* loggedIn(["cp", "$REGISTRY/stop/twice:v1", "--to-layout", folder])
          yield* emulator.inject({
            method: "PATCH",
            times: "always",
            consequence: { _tag: "StallRequest", afterBytes: 1000 }
          })
          yield* emulator.inject({
            method: "PUT",
            times: "always",
            consequence: { _tag: "StallRequest", afterBytes: 1000 }
          })
          const cleanUp = yield* emulator.inject({ method: "DELETE", times: "always", consequence: { _tag: "Stall" } })
          const hits = (isWanted: (id: number) => boolean) =>
            Effect.map(emulator.faults, (faults) => faults.some(({ hit, id }) => isWanted(id) && hit > 0))
          const happens = (isWanted: (id: number) => boolean) =>
            Effect.repeat(Effect.sleep("20 millis"), { until: () => hits(isWanted) })

          const started = yield* start(["cp", "--from-layout", folder, "v1", "$REGISTRY/stop/twice-there"])
          yield* happens((id) => id !== cleanUp)
          started.process.kill("SIGINT")
          yield* happens((id) => id === cleanUp)
          yield* Effect.repeat(Effect.sleep("20 millis"), {
            until: () => Effect.sync(() => started.stderr().includes("stopping; once more stops at once\n"))
          })
          assert.isNull(started.process.exitCode)
          const before = Date.now()
          started.process.kill("SIGINT")
          assert.strictEqual(yield* started.ended, 130)
          assert.isBelow(Date.now() - before, 5000)
          yield* emulator.clearFaults
        }),
      limit
    )

    it.effect(
      "at a question changes nothing",
      () =>
        Effect.gen(function* () {
          const emulator = yield* AcrEmulator.AcrEmulator
          yield* emulator.clearFaults
          yield* emulator.seed({ repository: "stop/question", tags: ["v1"] })
          const shown = yield* onTerminal(["rm", "--manifest", "$REGISTRY/stop/question:v1"], { columns: 100 })
          yield* shown.until(({ stdout }) => stdout.includes("?"))
          yield* shown.type("\u0003")
          assert.strictEqual(yield* shown.ended, 130)
          const { stdout } = yield* loggedIn(["ls", "$REGISTRY/stop/question"])
          assert.strictEqual(stdout, "v1\n")
        }),
      limit
    )

    it.effect(
      "while the registry asks to wait ends at once",
      () =>
        Effect.gen(function* () {
          const emulator = yield* AcrEmulator.AcrEmulator
          yield* stalled("stop/wait")
          yield* emulator.clearFaults
          yield* emulator.inject({
            method: "GET",
            path: "/v2/stop/wait/blobs/",
            times: "always",
            consequence: { _tag: "Answer", status: 429, headers: { "retry-after": "50" } }
          })
          const shown = yield* onTerminal(
            ["cp", "$REGISTRY/stop/wait:v1", "--to-layout", `${yield* temporary}/layout`],
            {
              columns: 80
            }
          )
          yield* shown.until(({ stdout }) => /waits \d+ s for the rate limit/.test(stdout))
          yield* shown.type("\u0003")
          assert.strictEqual(yield* shown.ended, 130)
          yield* emulator.clearFaults
        }),
      limit
    )
  })

  describe("on a terminal", () => {
    it.effect(
      "says that a verb without progress waits for the rate limit, and with -q does not",
      () =>
        Effect.gen(function* () {
          const emulator = yield* AcrEmulator.AcrEmulator
          const throttle = emulator.inject({
            path: "/v2/_catalog",
            consequence: { _tag: "Answer", status: 429, headers: { "retry-after": "3" } }
          })
          yield* throttle
          const shown = yield* onTerminal(["ls", "$REGISTRY"], { columns: 80 })
          assert.strictEqual(yield* shown.ended, 0)
          assert.include(shown.shown(), "waiting 3 s: the registry limits the rate of requests")
          yield* throttle
          const quiet = yield* onTerminal(["ls", "-q", "$REGISTRY"], { columns: 80 })
          assert.strictEqual(yield* quiet.ended, 0)
          assert.notInclude(quiet.shown(), "waiting")
          yield* emulator.clearFaults
        }),
      limit
    )

    it.effect(
      "never wraps, also at a width of 20 and after it changes",
      () =>
        Effect.gen(function* () {
          yield* stalled("width/narrow")
          const copy = ["cp", "$REGISTRY/width/narrow:v1", "--to-layout", `${yield* temporary}/layout`]
          const shown = yield* onTerminal(copy, { columns: 20 })
          yield* shown.until(({ stdout }) => /\d+ %/.test(stdout))
          // oxlint-disable-next-line no-control-regex
          for (const line of shown.shown().split(/\r\n|\u001b\[\d*[A-Z]|\r/)) assert.isBelow(line.length, 20, line)
          yield* shown.resize({ columns: 100 })
          yield* shown.until(({ stdout }) => /MiB of 7\.6 MiB {2}\d+ % .*objects?/.test(stdout))
          yield* shown.type("\u0003")
          yield* shown.ended
        }),
      limit
    )

    it.effect(
      "is shown for validate, which reads all layers",
      () =>
        Effect.gen(function* () {
          yield* stalled("read/validate")
          const shown = yield* onTerminal(["validate", "$REGISTRY/read/validate:v1"], { columns: 80 })
          yield* shown.until(({ stdout }) => total.test(stdout))
          yield* shown.type("\u0003")
          assert.strictEqual(yield* shown.ended, 130)
        }),
      limit
    )

    it.effect(
      "is shown for diff --files, which reads the layers of both",
      () =>
        Effect.gen(function* () {
          const { seed } = yield* AcrEmulator.AcrEmulator
          yield* stalled("read/diff")
          yield* seed({ repository: "read/diff", tags: ["v2"], layers: [{ sizeInBytes: 2_000_000 }] })
          const args = ["diff", "$REGISTRY/read/diff:v1", "$REGISTRY/read/diff:v2", "--files"]
          const shown = yield* onTerminal(args, { columns: 80 })
          yield* shown.until(({ stdout }) => /iB of 9\.5 MiB/.test(stdout))
          yield* shown.type("\u0003")
          assert.strictEqual(yield* shown.ended, 130)
        }),
      limit
    )

    it.effect(
      "leaves the answer alone",
      () =>
        Effect.gen(function* () {
          const shown = yield* onTerminal(["cp", "$REGISTRY/shop/api:v1", "$REGISTRY/shop/copy:v2"], { columns: 80 })
          assert.strictEqual(yield* shown.ended, 0)
          const [header = "", row = "", sums = "", ...others] = screen(shown.shown(), 400)
          assert.match(header, /^DIGEST +TAG +OUTCOME$/)
          assert.match(row, /^sha256:[0-9a-f]{64} +v2 +set$/)
          assert.match(sums, /^sent: 1 object, .*; mounted: \d objects/)
          assert.deepStrictEqual(others, [""])
        }),
      limit
    )

    for (const env of [{ TERM: "dumb" }, { NO_COLOR: "1" }]) {
      const [name = "", value = ""] = Object.entries(env)[0] ?? []
      it.effect(
        `honours ${name}=${value}`,
        () =>
          Effect.gen(function* () {
            const args = ["cp", "$REGISTRY/shop/api:v1", `$REGISTRY/shop/${name.toLowerCase()}:v2`]
            const shown = yield* onTerminal(args, { columns: 80, env })
            assert.strictEqual(yield* shown.ended, 0)
            // oxlint-disable-next-line no-control-regex
            assert.notMatch(shown.shown(), name === "TERM" ? /\u001b/ : /\u001b\[[\d;]*m/)
          }),
        limit
      )
    }
  })

  describe("whose output is read late", () => {
    it.effect(
      "loses none of it, although it fails",
      () =>
        Effect.gen(function* () {
          const { read, writer } = yield* FullPipe.make
          const started = yield* start(["digest", "$REGISTRY/shop/none:v1"], { stderr: writer })
          assert.isTrue(yield* FullPipe.isAwaited(started))
          yield* read
          assert.strictEqual(yield* started.ended, 4)
          assert.include(yield* read, "shop/none")
        }),
      limit
    )

    it.effect(
      "and is the only thing left to do ends by the first signal",
      () =>
        Effect.gen(function* () {
          const { writer } = yield* FullPipe.make
          const started = yield* start(["digest", "$REGISTRY/shop/none:v1"], { stderr: writer })
          assert.isTrue(yield* FullPipe.isAwaited(started))
          started.process.kill("SIGTERM")
          assert.strictEqual(yield* started.ended, 143)
        }),
      limit
    )
  })

  describe("whose output is closed", () => {
    it.effect(
      "ends quietly with 141",
      () =>
        Effect.gen(function* () {
          const { loginServer } = yield* AcrEmulator.AcrEmulator
          const emulator = yield* AcrEmulator.AcrEmulator
          yield* emulator.clearFaults
          yield* emulator.seed({ repository: "pipe/export", tags: ["v1"], layers: [{ sizeInBytes: 20_000_000 }] })
          const line = shellLine(["export", `${loginServer}/pipe/export:v1`, "-"])
          const started = yield* shell(`${line} | head -c 100 > /dev/null; echo "\${PIPESTATUS[0]}"`)
          yield* started.ended
          assert.strictEqual(started.stdout(), "141\n")
          assert.strictEqual(started.stderr(), "")
        }),
      limit
    )

    it.effect(
      "does its work with a closed standard error",
      () =>
        Effect.gen(function* () {
          const { loginServer } = yield* AcrEmulator.AcrEmulator
          const line = shellLine(["cp", `${loginServer}/shop/api:v1`, `${loginServer}/shop/closed:v3`])
          const started = yield* shell(`${line} 2>&-; echo $?`)
          yield* started.ended
          assert.match(started.stdout(), /^sha256:[0-9a-f]{64}\tv3\tset\n0\n$/)
        }),
      limit
    )
  })
})
