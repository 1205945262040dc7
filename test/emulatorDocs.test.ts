/**
 * What the guides to the emulator's command show is true: their programs print what they say, and their configuration is one.
 */
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isInstalled, run, temporaryFolder } from "./support/command.ts"
import { emulatorFile } from "./support/programs.ts"
import { start } from "./support/emulatorCommand.ts"

/** The first block of a language in a guide, and the text that it prints. */
const blockOf = (guide: string, language: string) =>
  Effect.map(
    Effect.promise(() => readFile(fileURLToPath(new URL(`../docs/${guide}.md`, import.meta.url)), "utf8")),
    (markdown) => {
      const pattern = new RegExp(
        `^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`\\n(?:\\n\`\`\`text\\n([\\s\\S]*?)^\`\`\`)?`,
        "m"
      )
      const [, code = "", printed = ""] = pattern.exec(markdown) ?? []
      return { code, printed }
    }
  )

/** An environment in which `acr-emulator` is installed. */
const installed = Effect.gen(function* () {
  const folder = join(yield* temporaryFolder, "bin")
  const command = join(folder, "acr-emulator")
  yield* Effect.promise(async () => {
    await mkdir(folder)
    await writeFile(command, `#!/bin/sh\nexec "${process.execPath}" "${emulatorFile}" "$@"\n`)
    await chmod(command, 0o755)
  })
  return { ...process.env, PATH: [folder, process.env["PATH"]].join(delimiter) }
})

const languages = [
  { language: "bash", file: "test.sh", command: "bash", args: [] },
  { language: "python", file: "test.py", command: "python3", args: [] },
  { language: "go", file: "main.go", command: "go", args: ["run"] }
]

describe("the guide to the emulator in CI", () => {
  for (const { args, command, file, language } of languages) {
    it.live.runIf(isInstalled(command))(`has a program in ${language} that prints what it says`, () =>
      Effect.gen(function* () {
        const { code, printed } = yield* blockOf("emulator-in-ci", language)
        assert.notStrictEqual(printed, "")
        const path = join(yield* temporaryFolder, file)
        yield* Effect.promise(() => writeFile(path, code))
        const env = yield* installed
        assert.strictEqual((yield* run(command, [...args, path], { env })).trim(), printed.trim())
      })
    )
  }
})

describe("the function for bash in that guide", () => {
  it.live.runIf(isInstalled("bash"))("leaves the trap of its script, and no folder, also where the command fails", () =>
    Effect.gen(function* () {
      const { code } = yield* blockOf("emulator-in-ci", "bash")
      const folder = yield* temporaryFolder
      const path = join(folder, "test.sh")
      const temporary = join(folder, "temporary")
      yield* Effect.promise(async () => {
        await mkdir(temporary)
        await writeFile(
          path,
          `trap 'echo my own trap' EXIT\n${code.replace("with_emulator list_tags", "with_emulator false")}`
        )
      })
      const { stdout } = yield* Effect.flip(run("bash", [path], { env: { ...(yield* installed), TMPDIR: temporary } }))
      assert.strictEqual(stdout, "my own trap\n")
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(temporary)), [])
    }).pipe(Effect.scoped)
  )
})

describe("the guide to the command", () => {
  it.live("has a configuration file that the command takes", () =>
    Effect.gen(function* () {
      const { code } = yield* blockOf("emulator-command", "json")
      const path = join(yield* temporaryFolder, "acr.json")
      yield* Effect.promise(() => writeFile(path, code))
      const { ready } = yield* start("--config", path, "--control-port", "0")
      assert.strictEqual(ready.logins.adminUser.username, "contoso")
      assert.isDefined(ready.certificateFile)
    })
  )
})
