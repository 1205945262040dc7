/**
 * The progress of transfers: what is added up, what is drawn, and how often.
 */
import * as Artifact from "@effect-acr/artifacts/Artifact"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as MemoryStore from "@effect-acr/artifacts/MemoryStore"
import * as Digest from "@effect-acr/client/Digest"
import * as NodeCompression from "@effect-acr/node/NodeCompression"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as CliOutput from "effect/cli/CliOutput"
import * as Clock from "effect/Clock"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Files from "../src/files.ts"
import * as Output from "../src/output.ts"
import * as Counted from "../src/progress/counted.ts"
import * as Draw from "../src/progress/draw.ts"
import * as Progress from "../src/progress/progress.ts"
import * as State from "../src/progress/state.ts"
import * as Settings from "../src/settings.ts"
import { screen } from "./support/screen.ts"

const digest = (index: number) => Digest.Digest.make(`sha256:${index.toString(16).padStart(64, "0")}`)

/** What a terminal shows of what was written: it begins a new line in the first column. */
const shownOf = (written: ReadonlyArray<string>, columns: number) =>
  screen(written.join("").replaceAll("\n", "\r\n"), columns)

const after = (events: ReadonlyArray<State.Event>): State.State =>
  events.reduce<State.State>((state, event) => State.step(state, event), State.start(0))

const read = (index: number, bytes: number, size: number): State.Event => ({
  _tag: "Read",
  digest: digest(index),
  bytes,
  size
})

const busy = State.sampled(
  after([
    { _tag: "Planned", bytes: 900_000_000 },
    ...Array.from({ length: 20 }, (_, index) => read(index, 1_000_000 * index, 40_000_000))
  ]),
  2000
)

describe("the sums of a transfer", () => {
  it.effect("are those of the report", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      for (const name of ["a", "b", "c"]) yield* files.writeFileString(`${folder}/${name}`, name.repeat(5000))
      const source = MemoryStore.make()
      const target = MemoryStore.make()
      const artifactType = "application/vnd.example"
      yield* Artifact.push(source, "v1", { artifactType, files: [`${folder}/a`, `${folder}/b`] })
      yield* Artifact.attach(source, "v1", { artifactType, files: [`${folder}/c`] })
      yield* Artifact.push(target, "old", { artifactType, files: [`${folder}/a`] })
      const events = yield* Stream.runCollect(Copy.events(source, target, "v1"))
      const state = after(events.flatMap((event) => Option.toArray(State.ofCopy(event))))
      const last = events.at(-1)
      if (last?._tag !== "Finished") return assert.fail("the copy ends with its report")
      const totals = Copy.totals(last.report)
      assert.deepStrictEqual(state.sums, totals)
      assert.isAbove(totals.present.nodes, 0)
      assert.isAbove(totals.sent.nodes, 0)
      assert.strictEqual(state.moving.size, 0)
      assert.strictEqual(State.bytes(state), state.planned)
    }).pipe(Effect.provide([NodeServices.layer, NodeCompression.layer]))
  )

  it("count content once that is sent twice", () => {
    const node = { digest: digest(1), kind: "blob", size: 10 } as const
    const state = after([
      { _tag: "Done", node: { ...node, outcome: "present" } },
      { _tag: "Done", node: { ...node, outcome: "sent" } }
    ])
    assert.deepStrictEqual(state.sums, { ...State.noSums, sent: { nodes: 1, bytes: 10 } })
    assert.strictEqual(Draw.totals(state.sums), "sent: 1 object, 10 B")
  })

  it.effect("count what a store reads and takes", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      yield* files.writeFileString(`${folder}/a`, "content")
      const store = MemoryStore.make()
      let state = State.start(0)
      const progress: Progress.Progress = {
        note: (event) => Effect.sync(() => void (state = State.step(state, event))),
        sums: Effect.sync(() => state.sums)
      }
      yield* Artifact.push(Counted.store(store, progress), "v1", { artifactType: "a/b", files: [`${folder}/a`] })
      assert.strictEqual(state.sums.sent.nodes, 3)
      assert.strictEqual(State.bytes(state), state.planned)
      state = State.start(0)
      const source = Counted.reader(store, progress, (manifest) =>
        manifest._tag === "ImageManifest" ? manifest.layers : []
      )
      yield* Artifact.pull(source, "v1", `${folder}/out`)
      assert.strictEqual(state.sums.sent.nodes, 2)
      assert.strictEqual(State.bytes(state), state.planned)
    }).pipe(Effect.provide([NodeServices.layer, NodeCompression.layer]))
  )
})

describe("the lines", () => {
  it("never reach the last column, at any width", () => {
    for (let columns = 1; columns <= 400; columns += 1) {
      for (const line of Draw.lines(busy, 3000, { columns, rows: 24 })) {
        assert.isBelow(CliOutput.displayWidth(line), columns, line)
      }
    }
  })

  it("say bytes, share, rate, time left and objects, and at most eight blobs", () => {
    const [total = "", ...blobs] = Draw.lines(busy, 3000, { columns: 400, rows: 24 })
    assert.strictEqual(total, "181.2 MiB of 858.3 MiB  21 %  60.4 MiB/s  12 s left  0 objects")
    assert.lengthOf(blobs, 8)
    assert.strictEqual(blobs[2], " 000000000000  [#.......................]  1.9 MiB of 38.1 MiB")
    assert.lengthOf(Draw.lines(busy, 3000, { columns: 80, rows: 5 }), 4)
  })

  it("show how much is done at a width of 20", () => {
    const state = after([{ _tag: "Planned", bytes: 2_000_000 }, read(1, 500_000, 2_000_000)])
    const [total = "", first = ""] = Draw.lines(state, 0, { columns: 20, rows: 24 })
    assert.strictEqual(total, "25 %  0 objects")
    assert.strictEqual(first, " 000000000000  25 %")
  })

  it("show how long the registry makes the client wait", () => {
    const [total = ""] = Draw.lines(State.step(busy, { _tag: "Waits", until: 15_000 }), 3000, {
      columns: 200,
      rows: 24
    })
    assert.include(total, "waits 12 s for the rate limit")
  })

  it("are erased also if the terminal wrapped them", () => {
    assert.strictEqual(Draw.erased(["x".repeat(30), "y"], { columns: 80 }), "\u001b[2A\r\u001b[J")
    assert.strictEqual(Draw.erased(["x".repeat(30), "y"], { columns: 20 }), "\u001b[3A\r\u001b[J")
    assert.strictEqual(Draw.erased([], { columns: 20 }), "")
  })

  it("take less than a twentieth of the processor at five a second, with 10,000 objects", () => {
    const objects = 10_000
    const before = performance.now()
    let state = State.start(0)
    for (let index = 0; index < objects; index += 1) {
      state = State.step(state, read(index, 1000, 1000))
      state = State.step(state, {
        _tag: "Done",
        node: { digest: digest(index), kind: "blob", outcome: "sent", size: 1000 }
      })
    }
    const counting = performance.now() - before
    assert.strictEqual(state.sums.sent.nodes, objects)
    const started = performance.now()
    const draws = 500
    for (let draw = 0; draw < draws; draw += 1)
      Draw.lines(State.sampled(busy, draw * 200), draw * 200, { columns: 120, rows: 40 })
    const perSecond = (5 * (performance.now() - started)) / draws
    assert.isBelow(perSecond, 50, "milliseconds of drawing in a second")
    assert.isBelow(counting / objects, 1, "milliseconds for an object")
  })
})

/** Runs a transfer under a clock of the test, and keeps what it writes to standard error. */
const watching = Effect.fnUntraced(function* (
  transfer: (progress: Progress.Progress) => Effect.Effect<void, never, Stdio.Stdio>,
  { env = {}, isTerminal, quiet = false }: { isTerminal: boolean; quiet?: boolean; env?: Record<string, string> }
) {
  const written: Array<string> = []
  const stdio = Stdio.make({
    args: Effect.succeed([]),
    stdin: Stream.empty,
    stdout: () => Sink.drain,
    stderr: () => Sink.forEach((piece: string | Uint8Array) => Effect.sync(() => void written.push(String(piece)))),
    stderrIsTerminal: Effect.succeed(isTerminal)
  })
  const fiber = yield* Progress.during(Progress.continues, transfer).pipe(
    Effect.provideService(Stdio.Stdio, stdio),
    Effect.provideService(Progress.TerminalSize, Effect.succeed({ columns: 80, rows: 24 })),
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env)),
    Effect.provideService(Settings.Json, false),
    Effect.provideService(Settings.JsonLines, false),
    Effect.provideService(Settings.Quiet, quiet),
    Effect.provideService(Settings.Verbose, []),
    Effect.provideService(Settings.PlainHttp, Option.none()),
    Effect.provideService(Settings.CaFile, Option.none()),
    Effect.forkChild
  )
  return { fiber, written }
})

/** Ten thousand objects, a hundred of them a second. */
const many = ({ note }: Progress.Progress) =>
  Effect.gen(function* () {
    yield* note({ _tag: "Planned", bytes: 10_000_000 })
    for (let index = 0; index < 10_000; index += 1) {
      yield* note(read(index, 1000, 1000))
      yield* note({ _tag: "Done", node: { digest: digest(index), kind: "blob", outcome: "sent", size: 1000 } })
      yield* Effect.sleep("10 millis")
    }
  })

describe("the progress", () => {
  it.effect("of 10,000 objects is drawn at most five times a second, and is gone at the end", () =>
    Effect.gen(function* () {
      const { fiber, written } = yield* watching(many, { isTerminal: true })
      for (let second = 0; second < 101; second += 1) yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.isAtMost(written.length, 5 * 100 + 1)
      assert.isAbove(written.length, 400)
      assert.deepStrictEqual(shownOf(written, 80), [""])
    })
  )

  it.effect("is gone after an interruption, which reports how far it came", () =>
    Effect.gen(function* () {
      const { fiber, written } = yield* watching(many, { isTerminal: true })
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.interrupt(fiber)
      const [said = "", ...others] = shownOf(written, 200)
      assert.match(said, /^interrupted: 10\d\d objects, [\d.]+ KiB done; the same command continues$/)
      assert.deepStrictEqual(others, [""])
    })
  )

  it.effect(
    "is gone after an interruption, which does not count what only a part of has arrived: no target keeps that",
    () =>
      Effect.gen(function* () {
        const { fiber, written } = yield* watching(
          ({ note }) =>
            Effect.gen(function* () {
              yield* note({ _tag: "Done", node: { digest: digest(1), kind: "blob", outcome: "sent", size: 1024 } })
              yield* note(read(2, 100 * 1024, 1024 * 1024))
              return yield* Effect.never
            }),
          { isTerminal: false }
        )
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(written, ["interrupted: 1 object, 1 KiB done; the same command continues\n"])
      })
  )

  it.effect("is a line each ten seconds without a terminal, and on a dumb one", () =>
    Effect.gen(function* () {
      for (const given of [{ isTerminal: false }, { isTerminal: true, env: { TERM: "dumb" } }]) {
        const { fiber, written } = yield* watching(many, given)
        yield* TestClock.adjust("35 seconds")
        assert.lengthOf(written, 3)
        // oxlint-disable-next-line no-control-regex
        for (const line of written) assert.notMatch(line, /\u001b/)
        assert.match(
          written[0] ?? "",
          /^[\d.]+ KiB of 9\.5 MiB {2}\d+ % {2}[\d.]+ KiB\/s {2}[\d.]+.* left {2}\d+ objects\n$/
        )
        yield* Fiber.interrupt(fiber)
      }
    })
  )

  it.effect("is nothing with -q", () =>
    Effect.gen(function* () {
      const { fiber, written } = yield* watching(many, { isTerminal: true, quiet: true })
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(written, [])
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("makes room for other output", () =>
    Effect.gen(function* () {
      const { fiber, written } = yield* watching(
        ({ note }) =>
          Effect.gen(function* () {
            yield* note(read(1, 5, 10))
            yield* Effect.sleep("1 second")
            yield* Output.tell("warning: something")
            yield* Effect.sleep("1 second")
          }),
        { isTerminal: true }
      )
      yield* TestClock.adjust("1500 millis")
      const shown = shownOf(written, 80)
      assert.strictEqual(shown[0], "warning: something")
      assert.match(shown[1] ?? "", /^5 B/)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(shownOf(written, 80), ["warning: something", ""])
    })
  )

  it.effect("shows waits for a rate limit until they are over", () =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const state = State.step(State.start(now), { _tag: "Waits", until: now + 5000 })
      assert.include(Draw.summary(state, now), "waits 5 s")
      assert.notInclude(Draw.summary(state, now + 5000), "waits")
    })
  )
})

describe("the media type of a file", () => {
  const cases: ReadonlyArray<readonly [string, { path: string; mediaType?: string }]> = [
    ["sbom.json", { path: "sbom.json" }],
    ["sbom.json:application/spdx+json", { path: "sbom.json", mediaType: "application/spdx+json" }],
    [String.raw`C:\data\x.txt`, { path: String.raw`C:\data\x.txt` }],
    ["C:/data", { path: "C:/data" }],
    [String.raw`C:\x.txt:text/plain`, { path: String.raw`C:\x.txt`, mediaType: "text/plain" }],
    ["logs:today.txt", { path: "logs:today.txt" }],
    ["a:b:text/plain", { path: "a:b", mediaType: "text/plain" }],
    ["deep:a/b/c.txt", { path: "deep:a/b/c.txt" }]
  ]
  for (const [text, expected] of cases) {
    it(`is read from ${text}`, () => {
      assert.deepStrictEqual(Files.parse(text, false), expected)
    })
  }

  it("is none if the whole is the path of a file", () => {
    assert.deepStrictEqual(Files.parse("logs:a/b.txt", true), { path: "logs:a/b.txt" })
  })
})
