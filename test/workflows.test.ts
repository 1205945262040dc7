/**
 * The workflows: what their steps run is there, and the executables that they start are those that are made.
 */
import { readdir, readFile } from "node:fs/promises"
import { existsSync } from "node:fs"
import { relative } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { parse } from "yaml"
import { built } from "../site/sources.ts"
import { executableName, targets } from "./release/targets.ts"

const root = new URL("../", import.meta.url)

const Step = Schema.Struct({
  uses: Schema.optionalKey(Schema.String),
  run: Schema.optionalKey(Schema.String),
  "working-directory": Schema.optionalKey(Schema.String),
  with: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
})

const Matrix = Schema.Struct({
  include: Schema.Array(
    Schema.Struct({
      os: Schema.String,
      file: Schema.optionalKey(Schema.String),
      tests: Schema.optionalKey(Schema.String)
    })
  )
})

const Job = Schema.Struct({
  needs: Schema.optionalKey(Schema.String),
  permissions: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  "timeout-minutes": Schema.Int,
  strategy: Schema.optionalKey(Schema.Struct({ matrix: Matrix })),
  steps: Schema.Array(Step)
})

const Workflow = Schema.Struct({
  permissions: Schema.Struct({}),
  jobs: Schema.Record(Schema.String, Job)
})

const PackageJson = Schema.fromJsonString(Schema.Struct({ scripts: Schema.Record(Schema.String, Schema.String) }))

const textOf = (name: string) => Effect.promise(() => readFile(new URL(name, root), "utf8"))

const workflowOf = (name: string) =>
  Effect.flatMap(textOf(`.github/workflows/${name}`), (text) => Schema.decodeUnknownEffect(Workflow)(parse(text)))

const names = await readdir(new URL(".github/workflows/", root))

/** Commands of pnpm itself. */
const ofPnpm = ["install", "exec"]

/** What is wrong with a command: a script or a file that is not there. */
const problemOf = (command: string, scripts: Readonly<Record<string, string>>): string | undefined => {
  const [, script] = /^npx -y pnpm@12 (\S+)/.exec(command) ?? []
  if (script !== undefined && !ofPnpm.includes(script) && scripts[script] === undefined) return `no script ${script}`
  const file = /(?:^|\s)((?:test|site|\.ci)\/\S+)/.exec(command)?.[1]
  return file !== undefined && !existsSync(new URL(file, root)) ? `no file ${file}` : undefined
}

describe.each(names)("%s", (name) => {
  it.effect("runs scripts and files that are there", () =>
    Effect.gen(function* () {
      const { jobs } = yield* workflowOf(name)
      const { scripts } = yield* Schema.decodeEffect(PackageJson)(yield* textOf("package.json"))
      const inputs = ["version-script", "publish-script"]
      const commands = Object.values(jobs).flatMap(({ steps }) =>
        steps.flatMap(({ run = "", with: given = {} }) => [...run.split("\n"), ...inputs.map((input) => given[input])])
      )
      const problems = commands.flatMap((command) =>
        typeof command === "string" ? (problemOf(command, scripts) ?? []) : []
      )
      assert.deepStrictEqual(problems, [])
    })
  )

  it.effect("names jobs that are there, and checks out before it runs anything of the repository", () =>
    Effect.gen(function* () {
      const { jobs } = yield* workflowOf(name)
      for (const { needs, steps } of Object.values(jobs)) {
        if (needs !== undefined) assert.property(jobs, needs)
        const [first] = steps
        assert.match(first?.uses ?? "", /^actions\/(?:checkout|download-artifact|deploy-pages)@v\d+$/)
      }
    })
  )
})

describe("check-and-release.yml", () => {
  it.effect("runs tests that are there on macOS and on Windows, and waits for neither before a release", () =>
    Effect.gen(function* () {
      const { release, systems } = (yield* workflowOf("check-and-release.yml")).jobs
      const runs = systems?.strategy?.matrix.include ?? []
      assert.deepStrictEqual(
        runs.map(({ os }) => os),
        ["macos-latest", "windows-latest"]
      )
      for (const folder of runs.flatMap(({ tests = "" }) => tests.split(" "))) {
        const files = yield* Effect.promise(() => readdir(new URL(`${folder}/test/`, root)))
        assert.isTrue(
          files.some((file) => file.endsWith(".test.ts")),
          folder
        )
      }
      assert.strictEqual(release?.needs, "check")
    })
  )

  it.effect("finds line ends as they are in the repository, on Windows too", () =>
    Effect.gen(function* () {
      assert.include((yield* textOf(".gitattributes")).split("\n"), "* text=auto eol=lf")
    })
  )
})

describe("executables.yml", () => {
  it.effect("starts executables that are made, each on the system that it is for", () =>
    Effect.gen(function* () {
      const { build, start } = (yield* workflowOf("executables.yml")).jobs
      const made = targets.map(executableName)
      const systems: Readonly<Record<string, string>> = { linux: "ubuntu", darwin: "macos", windows: "windows" }
      const started = start?.strategy?.matrix.include ?? []
      assert.sameMembers(
        started.map(({ file }) => file),
        made
      )
      for (const { file = "", os } of started) {
        assert.strictEqual(os.split("-")[0], systems[file.split("-")[1] ?? ""])
        assert.strictEqual(os.endsWith("-arm") || os === "macos-latest", file.includes("arm64"))
      }
      const named = build?.steps.flatMap(({ run = "" }) =>
        Array.from(run.matchAll(/eacr-[\w-]+(?:\.exe)?/g), ([file]) => file)
      )
      assert.deepStrictEqual(named, ["eacr-linux-x64"])
      assert.includeMembers(made, named ?? [])
    })
  )

  it.effect("publishes one folder, after all executables in it have started", () =>
    Effect.gen(function* () {
      const { build, publish, start } = (yield* workflowOf("executables.yml")).jobs
      const foldersOf = (job = build) =>
        job?.steps.flatMap(({ run = "", "working-directory": directory, with: given }) => [
          ...Array.from(run.matchAll(/(?:executables\.ts |"\$TAG" )(\w+)/g), ([, folder]) => folder),
          ...(directory === undefined ? [] : [directory]),
          ...(given?.["path"] === undefined ? [] : [given["path"]])
        ])
      assert.deepStrictEqual(foldersOf(), ["executables", "executables", "executables"])
      assert.deepStrictEqual(foldersOf(publish), ["executables", "executables", "executables"])
      const jobs = [build, start, publish]
      const artifacts = jobs.map((job) => job?.steps.flatMap(({ with: given }) => given?.["name"] ?? []))
      assert.deepStrictEqual(artifacts, [["executables"], ["executables"], ["executables"]])
      assert.deepStrictEqual([start?.needs, publish?.needs], ["build", "start"])
      assert.deepStrictEqual([build?.permissions, publish?.permissions], [{ contents: "read" }, { contents: "write" }])
    })
  )
})

describe("site.yml", () => {
  it.effect("deploys the folder that the build writes", () =>
    Effect.gen(function* () {
      const { build, deploy } = (yield* workflowOf("site.yml")).jobs
      const uploaded = build?.steps.flatMap(({ with: given }) => given?.["path"] ?? [])
      assert.deepStrictEqual(uploaded, [relative(fileURLToPath(root), built).replace(/\/$/, "")])
      assert.strictEqual(deploy?.needs, "build")
      assert.deepStrictEqual(deploy?.permissions, { pages: "write", "id-token": "write" })
    })
  )
})

describe("docs/cli/install.md", () => {
  it.effect("names executables that are made", () =>
    Effect.gen(function* () {
      const text = yield* textOf("docs/cli/install.md")
      const named = Array.from(text.matchAll(/eacr-(?:linux|darwin|windows)[\w-]*(?:\.exe)?/g), ([file]) => file)
      assert.isAbove(named.length, 0)
      assert.includeMembers(targets.map(executableName), named)
    })
  )
})
