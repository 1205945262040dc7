/**
 * Migrations as processes: stopped, killed, and continued.
 */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { onTerminal, start } from "./support/command.ts"
import { loggedIn } from "./support/registry.ts"
import { screen } from "./support/screen.ts"

const limit = 120_000

const tags = Array.from({ length: 30 }, (_, index) => `v${index}`)

/** A folder with rules that move one repository of the emulator to another name. */
const prepared = (from: string, to: string) =>
  Effect.gen(function* () {
    const { clearFaults, loginServer, reset, seed } = yield* AcrEmulator.AcrEmulator
    const files = yield* FileSystem.FileSystem
    yield* clearFaults
    yield* reset
    for (const tag of tags) yield* seed({ repository: `${from}/api`, tags: [tag], layers: [tag, "base"] })
    const folder = yield* files.makeTempDirectoryScoped()
    const registry = { registry: loginServer }
    const rules = {
      routes: [
        {
          from: registry,
          to: registry,
          repositories: { include: [`${from}/*`] },
          rename: [{ prefix: `${from}/`, replaceBy: `${to}/` }]
        }
      ],
      limits: { copies: 2, batch: 10 }
    }
    const file = join(folder, "rules.json")
    yield* Effect.promise(() => writeFile(file, JSON.stringify(rules)))
    const state = join(folder, "state.sqlite")
    return { call: ["migrate", "run", "test", file, "--state", state], state }
  })

/** No manifest arrives at the target. */
const stalledManifests = (to: string) =>
  Effect.flatMap(AcrEmulator.AcrEmulator, ({ inject }) =>
    inject({ method: "PUT", path: `/v2/${to}/api/manifests/`, times: "always", consequence: { _tag: "Stall" } })
  )

const hit = (id: number) =>
  Effect.flatMap(AcrEmulator.AcrEmulator, ({ faults }) =>
    Effect.repeat(Effect.sleep("20 millis"), {
      until: () => Effect.map(faults, (all) => all.some((fault) => fault.id === id && fault.hit > 0))
    })
  )

const tagsAt = (repository: string) =>
  Effect.gen(function* () {
    const { contents } = yield* AcrEmulator.AcrEmulator
    const found = yield* contents(repository)
    return Option.match(found, { onNone: () => [], onSome: (all) => all.tags.map(({ name }) => name).toSorted() })
  })

layer(Layer.merge(AcrEmulator.layer(), NodeServices.layer), { excludeTestServices: true })("eacr migrate run", (it) => {
  it.effect(
    "ends within ten seconds by SIGTERM, says how to continue, and continues",
    () =>
      Effect.gen(function* () {
        const { clearFaults } = yield* AcrEmulator.AcrEmulator
        const { call, state } = yield* prepared("shop", "moved")
        const fault = yield* stalledManifests("moved")
        const started = yield* start(call)
        yield* hit(fault)
        const before = Date.now()
        started.process.kill("SIGTERM")
        assert.strictEqual(yield* started.ended, 143)
        assert.isBelow(Date.now() - before, 10_000)
        assert.strictEqual(started.stdout(), "")
        assert.match(
          started.stderr(),
          /^the state is kept in .+\n(?:stopping; once more stops at once\n)?interrupted: \d+ artifacts? done in this pass, .+ sent; the same command continues\n$/
        )
        assert.deepStrictEqual(yield* tagsAt("moved/api"), [])
        yield* clearFaults
        const status = yield* loggedIn(["migrate", "status", "test", "--state", state, "--json"])
        assert.include(status.stdout, '"phase":"copy"')
        const again = yield* loggedIn(call)
        assert.strictEqual(again.code, 0, again.stderr)
        assert.deepStrictEqual(yield* tagsAt("moved/api"), tags.toSorted())
      }),
    limit
  )

  it.effect(
    "continues after a kill",
    () =>
      Effect.gen(function* () {
        const { clearFaults } = yield* AcrEmulator.AcrEmulator
        const { call, state } = yield* prepared("shop", "killed")
        const fault = yield* stalledManifests("killed")
        const started = yield* start([...call, "--jsonl"])
        yield* hit(fault)
        started.process.kill("SIGKILL")
        assert.strictEqual(yield* started.ended, "SIGKILL")
        yield* clearFaults
        const again = yield* loggedIn(call)
        assert.strictEqual(again.code, 0, again.stderr)
        assert.deepStrictEqual(yield* tagsAt("killed/api"), tags.toSorted())
        const report = yield* loggedIn(["migrate", "report", "test", "--state", state, "--jsonl"])
        assert.lengthOf(report.stdout.trimEnd().split("\n"), tags.length)
      }),
    limit
  )

  it.effect(
    "works alone on its state: another process is refused with 7, and told which one works",
    () =>
      Effect.gen(function* () {
        const { clearFaults } = yield* AcrEmulator.AcrEmulator
        const { call } = yield* prepared("shop", "alone")
        const fault = yield* stalledManifests("alone")
        const first = yield* start(call)
        yield* hit(fault)
        const second = yield* start(call)
        assert.strictEqual(yield* second.ended, 7)
        const working = `-pid-${first.process.pid}-`
        assert.match(
          second.stderr(),
          new RegExp(`^warn: waits at most 12s for the lock of another process: .*${working}`, "m")
        )
        assert.match(
          second.stderr(),
          new RegExp(`^error: .*\n.*another process works on this run: .*${working}.*\n  run again once`, "m")
        )
        yield* clearFaults
        first.process.kill("SIGKILL")
        yield* first.ended
      }),
    limit
  )

  it.effect(
    "shows its progress on a terminal, and leaves the answer alone",
    () =>
      Effect.gen(function* () {
        const { clearFaults } = yield* AcrEmulator.AcrEmulator
        const { call } = yield* prepared("shop", "shown")
        const fault = yield* stalledManifests("shown")
        const shown = yield* onTerminal(call, { columns: 100 })
        yield* hit(fault)
        yield* shown.until(({ stdout }) => /copying, pass 1 {2}\d+ of 30 artifacts {2}\d+ %/.test(stdout))
        yield* shown.resize({ columns: 30 })
        yield* shown.type("\u0003")
        assert.strictEqual(yield* shown.ended, 130)
        yield* clearFaults
        const whole = yield* onTerminal(call, { columns: 100 })
        assert.strictEqual(yield* whole.ended, 0)
        const left = screen(whole.shown(), 100).filter((line) => line !== "")
        assert.match(left[0] ?? "", /^the state is kept in /)
        assert.isTrue(
          left.slice(1).some((line) => /^complete {2,}yes$/.test(line)),
          left.join("\n")
        )
        assert.isFalse(
          left.some((line) => line.startsWith("copying")),
          left.join("\n")
        )
        assert.isFalse(
          left.some((line) => /warning/i.test(line)),
          left.join("\n")
        )
      }),
    limit
  )

  it.effect(
    "serves a page on a loopback port that it says",
    () =>
      Effect.gen(function* () {
        const { clearFaults } = yield* AcrEmulator.AcrEmulator
        const { call } = yield* prepared("shop", "page")
        const fault = yield* stalledManifests("page")
        const started = yield* start([...call, "--status-page", "0"])
        yield* hit(fault)
        yield* started.until(({ stderr }) => /^status page: http:\/\/127\.0\.0\.1:\d+$/m.test(stderr))
        const endpoint = /^status page: (.+)$/m.exec(started.stderr())?.[1] ?? ""
        const page = yield* Effect.promise(() => fetch(endpoint).then((answer) => answer.text()))
        assert.include(page, "Migration test")
        const json = yield* Effect.promise(() => fetch(`${endpoint}/status.json`).then((answer) => answer.text()))
        assert.deepInclude(JSON.parse(json), { phase: "copy", pass: 1, left: tags.length, done: 0 })
        const taken = yield* start([...call, "--status-page", new URL(endpoint).port])
        assert.strictEqual(yield* taken.ended, 2)
        assert.include(taken.stderr(), "the status page cannot be served on 127.0.0.1:")
        started.process.kill("SIGTERM")
        assert.strictEqual(yield* started.ended, 143)
        yield* clearFaults
      }),
    limit
  )
})
