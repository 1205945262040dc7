/**
 * docs/tasks.md on the emulator: each program, and each line of another command beside it that this machine can run. What a task
 * must come to is the same for all of them.
 */
import { readFileSync } from "node:fs"
import { cp, mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { authConfig } from "../packages/cli/test/support/registry.ts"
import { argsOf, elsewhere, prepare, runExample } from "./cli/examples.ts"
import { tasks } from "./cli/tasks.ts"
import { start } from "./support/emulatorCommand.ts"
import { runWith } from "./support/pagePrograms.ts"
import { isThere, toolFor } from "./support/tools.ts"

const page = readFileSync(new URL("../docs/tasks.md", import.meta.url), "utf8")

const [, ...sections] = page.split(/^## /m)

/** The blocks of a language in a text. */
const blocksOf = (text: string, language: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm")), ([, code = ""]) => code)

const linesOf = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line.trim() !== "")

/** The commands beside the programs. Those of Azure need a registry of Azure. */
const others = ["crane", "oras", "regctl"] as const

const shown = sections.map((section) => ({
  title: section.slice(0, section.indexOf("\n")),
  programs: blocksOf(section, "ts"),
  lines: blocksOf(section, "sh").flatMap(linesOf),
  rules: blocksOf(section, "json")[0] ?? "",
  hasNone: section.includes("`crane`, `oras` and `regctl` have no line for it")
}))

const [beginning = ""] = page.split(/^## /m)

describe("docs/tasks.md", () => {
  it.live("has a configuration of the emulator whose image has labels", () =>
    Effect.gen(function* () {
      yield* elsewhere
      yield* Effect.promise(() => writeFile("acr.json", blocksOf(beginning, "json").join("")))
      const { ready } = yield* start("--config", "acr.json", "--control-port", "0")
      const { password, username } = ready.logins.adminUser
      const login = authConfig(ready.loginServer, { username, password: Redacted.make(password) })
      const program = (shown.find(({ title }) => title === "See labels and size")?.programs ?? [])
        .join("")
        .replaceAll("myregistry.azurecr.io", ready.loginServer)
      const printed = yield* runWith(program, [], { DOCKER_AUTH_CONFIG: login })
      assert.match(printed, /^\{ 'org\.opencontainers\.image\.version': '1\.4\.0' \} \d+\n$/)
    }).pipe(Effect.scoped)
  )

  it("has the tasks of docs/cli/tasks.md, with the same lines of other commands", () => {
    assert.deepStrictEqual(
      shown.map(({ hasNone, lines, title }) => ({ title, lines, hasNone })),
      tasks.map((task) => {
        const lines = others.flatMap((name) => task.others[name] ?? [])
        return { title: task.title, lines, hasNone: lines.length === 0 }
      })
    )
  })

  it("has one program of at most ten lines for each", () => {
    for (const { programs, title } of shown) {
      assert.lengthOf(programs, 1, title)
      assert.isAtMost(linesOf(programs.join("")).length, 10, title)
    }
  })
})

const registry = AcrEmulator.layer({ blobs: "direct" })

const platforms = ["linux/amd64", "linux/arm64"]

/** What a repository holds. */
const contentsOf = Effect.fnUntraced(function* (repository: string) {
  const { contents } = yield* AcrEmulator.AcrEmulator
  return Option.getOrThrow(yield* contents(repository))
})

const digestOf = Effect.fnUntraced(function* (repository: string, tag: string) {
  const { tags } = yield* contentsOf(repository)
  return tags.find(({ name }) => name === tag)?.digest
})

/** Images for the task to work on, and those that it must leave alone. */
const filled = Effect.gen(function* () {
  const { seed } = yield* AcrEmulator.AcrEmulator
  yield* seed({
    repository: "shop/api",
    tags: ["v1.4.0"],
    platforms,
    labels: { team: "contoso" },
    pushedAt: Duration.days(2)
  })
  const old = yield* seed({ repository: "shop/api", layers: ["old"], pushedAt: Duration.days(31) })
  const young = yield* seed({ repository: "shop/api", layers: ["young"], pushedAt: Duration.days(29) })
  yield* prepare("tasks")
  return { old, young }
})

/** Tasks whose result a task needs. */
const before: Readonly<Record<string, string>> = {
  "Pull a folder": "Push a folder",
  "Load an archive into a registry": "Save an image for docker load"
}

const lineOf = (title: string): string => tasks.find((task) => task.title === title)?.line ?? ""

/** How a task was done, and what that printed. */
interface Done {
  readonly by: "program" | (typeof others)[number]
  readonly printed: string
  /** The folder for files. */
  readonly folder: string
  readonly untagged: Effect.Success<typeof filled>
}

const textOf = (path: string) => Effect.promise(() => readFile(path, "utf8"))

type Check = (done: Done) => Effect.Effect<void, unknown, AcrEmulator.AcrEmulator>

const prints =
  (...patterns: ReadonlyArray<RegExp>): Check =>
  ({ printed }) =>
    Effect.sync(() => {
      for (const pattern of patterns) assert.match(printed, pattern)
    })

/** What a user finds after each task. */
const checks: Readonly<Record<string, Check>> = {
  "List tags": prints(/^build-1$/m, /^v1\.3\.0$/m, /^v1\.4\.0$/m),
  "List tags by date": ({ printed }) =>
    Effect.sync(() => {
      const lines = linesOf(printed)
      assert.isAbove(lines.length, 3)
      assert.deepStrictEqual(
        lines.map((line) => line.split(" ")[0]),
        lines.map((line) => line.split(" ")[0] ?? "").toSorted((left, right) => right.localeCompare(left))
      )
      assert.match(lines.at(-1) ?? "", /^\d{4}-\d\d-\d\dT\S+Z v1\.4\.0$/)
    }),
  "See labels and size": ({ by, printed }) =>
    Effect.sync(() => assert.match(printed, by === "program" ? /^\{ team: 'contoso' \} \d+$/m : /"team":\s*"contoso"/)),
  "Copy an image with its signatures and SBOMs": () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* digestOf("production/shop/api", "v1.4.0"), yield* digestOf("shop/api", "v1.4.0"))
      const { manifests } = yield* contentsOf("production/shop/api")
      assert.isTrue(manifests.some(({ artifactType }) => artifactType === "application/spdx+json"))
    }),
  "Tag again": () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* digestOf("shop/api", "production"), yield* digestOf("shop/api", "v1.4.0"))
    }),
  "Delete images without a tag, safely": ({ untagged }) =>
    Effect.gen(function* () {
      const { manifests, tags } = yield* contentsOf("shop/api")
      const digests = manifests.map(({ digest }) => digest)
      assert.notInclude(digests, untagged.old)
      assert.include(digests, untagged.young)
      assert.includeMembers(
        tags.map(({ name }) => name),
        ["build-1", "v1.3.0", "v1.4.0", "v1.5.0"]
      )
      assert.isTrue(manifests.some(({ artifactType }) => artifactType === "application/spdx+json"))
    }),
  "Push a folder": () =>
    Effect.gen(function* () {
      assert.isDefined(yield* digestOf("site", "v1"))
      const { code, stderr } = yield* runExample(lineOf("Pull a folder"))
      assert.strictEqual(code, 0, stderr)
      assert.strictEqual(yield* textOf("public/dist/index.html"), yield* textOf("dist/index.html"))
    }),
  "Pull a folder": ({ folder }) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* textOf(join(folder, "public/dist/index.html")), yield* textOf("dist/index.html"))
    }),
  "Save an image for docker load": ({ folder }) =>
    Effect.gen(function* () {
      assert.include(yield* textOf(join(folder, "api.tar")), "manifest.json")
    }),
  "Load an archive into a registry": () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* runExample("eacr show myregistry.azurecr.io/shop/api:restored")
      assert.strictEqual(code, 0)
      assert.include(stdout, "linux/amd64")
      assert.include(stdout, "contoso")
    }),
  "Show the SBOM of an image": ({ by, folder, printed }) =>
    Effect.gen(function* () {
      const sbom = by === "program" ? yield* textOf(join(folder, "sbom/sbom.json")) : printed
      assert.strictEqual(sbom.trim(), '{"spdxVersion":"SPDX-2.3"}')
    }),
  "See storage by tag": prints(/^stable, v1\.4\.0 \d+$|^v1\.4\.0 \d+$/m, /^total \d{3,}$/m)
}

/** The registry of production is another folder of the same one. */
const hostOf =
  (loginServer: string) =>
  (named: string): string =>
    named.startsWith("production.") ? `${loginServer}/production` : loginServer

/** Runs a task in a folder of its own on a registry of its own, and checks what came of it. */
const does = (title: string, by: Done["by"], act: Effect.Effect<Pick<Done, "printed" | "folder">, unknown, Acting>) =>
  Effect.gen(function* () {
    yield* elsewhere
    const untagged = yield* filled
    const needed = before[title]
    if (needed !== undefined) assert.strictEqual((yield* runExample(lineOf(needed))).code, 0)
    const done = yield* act
    yield* (checks[title] ?? (() => Effect.die(new Error(`no check of ${title}`))))({ by, untagged, ...done })
  }).pipe(Effect.scoped, Effect.provide(registry))

type Acting = AcrEmulator.AcrEmulator | Effect.Services<typeof elsewhere>

const byProgram = (program: string, rules: string) =>
  Effect.gen(function* () {
    const { loginServer, logins } = yield* AcrEmulator.AcrEmulator
    if (rules !== "") yield* Effect.promise(() => writeFile("rules.json", rules))
    const code = program.replaceAll(/[a-z]+\.azurecr\.io/g, hostOf(loginServer))
    const printed = yield* runWith(code, [], { DOCKER_AUTH_CONFIG: authConfig(loginServer, logins.adminUser) })
    return { printed, folder: process.cwd() }
  })

/** Runs a line as it stands. Tools speak http to `localhost`, but regctl has to be told. */
const byTool = (name: (typeof others)[number], line: string) =>
  Effect.gen(function* () {
    const { loginServer, logins } = yield* AcrEmulator.AcrEmulator
    const local = loginServer.replace("127.0.0.1", "localhost")
    const tool = yield* toolFor(name, { loginServer: local, certificate: "", login: logins.adminUser })
    yield* Effect.promise(async () => {
      await cp(process.cwd(), tool.home, { recursive: true })
      await mkdir(join(tool.home, ".regctl"))
      await writeFile(
        join(tool.home, ".regctl/config.json"),
        JSON.stringify({ hosts: { [local]: { tls: "disabled" } } })
      )
    })
    const printed = yield* tool.run(...argsOf(line, hostOf(local)))
    return { printed, folder: tool.home }
  })

for (const { lines, programs, rules, title } of shown) {
  describe(`docs/tasks.md: ${title}`, () => {
    it.live("by the program", () => does(title, "program", byProgram(programs.join(""), rules)), 60_000)

    for (const name of others) {
      for (const line of lines.filter((one) => one.startsWith(`${name} `))) {
        it.live.runIf(isThere(name))(line, () => does(title, name, byTool(name, line)), 60_000)
      }
    }
  })
}
