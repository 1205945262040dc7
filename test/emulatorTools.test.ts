/**
 * Everyday commands of regctl, oras, crane, skopeo and cosign against the emulator in its default mode and against
 * version 3 of the registry of the distribution project: each ends the same way, but for what is listed.
 */
import { readFile } from "node:fs/promises"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Command, type Script, scripts } from "./conformance/commands.ts"
import { page } from "./conformance/page.ts"
import { type Outcome, runScript } from "./conformance/run.ts"
import { isInstalled } from "./support/command.ts"
import * as Docker from "./support/dockerRegistry.ts"
import { isThere } from "./support/tools.ts"

const canRun = ({ tool }: Script): boolean =>
  process.platform === "linux" && (tool === "skopeo" ? isInstalled("skopeo") : isThere(tool))

const onEmulator = (script: Script) =>
  AcrEmulator.AcrEmulator.use(({ loginServer, logins }) =>
    runScript(script, { loginServer, login: logins.adminUser })
  ).pipe(Effect.provide(AcrEmulator.layer()))

const onDistribution = (script: Script) =>
  Docker.DockerRegistry.use(({ loginServer }) => runScript(script, { loginServer, login: Docker.login })).pipe(
    Effect.provide(Docker.layer({ version: "3", access: "htpasswd", relativeUrls: false, plainHttp: true }))
  )

/** How a command ends, as the script has it. Of those that succeed, it does not say what they print. */
const ended = ({ line }: Command, { code, output }: Outcome): string =>
  code === 0 ? `${line}: succeeds` : `${line}: ${output}`

const expected = ({ line, refusedWith }: Command): string => `${line}: ${refusedWith ?? "succeeds"}`

const isSame = (one: Outcome, other: Outcome): boolean => one.code === other.code && one.output === other.output

describe("the emulator in its default mode", () => {
  for (const script of scripts) {
    it.live.runIf(canRun(script) && Docker.isThere("3"))(
      `is to ${script.tool} as distribution v3, but for what is listed`,
      () =>
        Effect.gen(function* () {
          const { commands } = script
          const [emulated, distributed] = yield* Effect.all([onEmulator(script), onDistribution(script)], {
            concurrency: "unbounded"
          })
          assert.deepStrictEqual(
            emulated.map((outcome, index) => commands[index] && ended(commands[index], outcome)),
            commands.map(expected)
          )
          for (const [index, command] of commands.entries()) {
            const [here, there] = [emulated[index], distributed[index]]
            assert(here !== undefined && there !== undefined)
            if (command.differs === undefined) assert.deepStrictEqual(here, there, command.line)
            else assert.isFalse(isSame(here, there), `is listed, and ends the same way: ${command.line}`)
          }
        })
    )
  }

  it.effect("is described in docs/emulator-conformance.md", () =>
    Effect.gen(function* () {
      const text = yield* Effect.promise(() =>
        readFile(new URL("../docs/emulator-conformance.md", import.meta.url), "utf8")
      )
      assert.strictEqual(text, page(), "write it anew: npx -y pnpm@12 conformance")
    })
  )
})
