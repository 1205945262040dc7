/**
 * Cases about the start of the command `eacr`: a whole process, as the package of npm has it and as an executable by Bun.
 */
import * as Effect from "effect/Effect"
import { startWith } from "../support/emulatorCommand.ts"
import { type Case, memory } from "./case.ts"
import { executable, npmForm } from "./command.ts"
import type { Figure } from "./report.ts"
import { measure } from "./tools.ts"
import type { Outcomes } from "./turns.ts"

/** The emulator with one repository, in a process of its own, and a login for it. */
const registry = Effect.fnUntraced(function* ([program = "", ...args]: ReadonlyArray<string>) {
  const { ready } = yield* startWith(program, [
    ...args,
    ..."serve --json --port 0 --seed library/hello-world:latest".split(" ")
  ])
  const { password, username } = ready.logins.adminUser
  const auth = Buffer.from(`${username}:${password}`).toString("base64")
  const auths = { [ready.loginServer]: { auth } }
  return { loginServer: ready.loginServer, env: { DOCKER_AUTH_CONFIG: JSON.stringify({ auths }) } }
})

const seconds = (what: string, outcomes: Outcomes = [], atMost: number): Figure => ({
  what: `${what}: time`,
  values: outcomes.map((outcome) => outcome.seconds),
  unit: "s",
  atMost
})

/** What a form of the command may take, in seconds and MiB. */
interface Form {
  readonly name: string
  readonly command: ReadonlyArray<string>
  readonly seconds: number
  readonly mebibytes: number
}

export const cli: ReadonlyArray<Case> = [
  {
    name: "cli",
    title: "the command eacr, from its start to its end",
    needs: ["python3"],
    run: Effect.fnUntraced(function* (turns) {
      const { command, environment } = yield* npmForm
      const { env, loginServer } = yield* registry(command)
      const forms: ReadonlyArray<Form> = [
        { name: "npm", command, seconds: 0.25, mebibytes: 100 },
        { name: "Bun", command: [yield* executable], seconds: 0.1, mebibytes: 60 }
      ]
      const calls = [
        ["--version", ["--version"]],
        ["ls", ["ls", loginServer]]
      ] as const
      const figures = yield* Effect.forEach(forms, (form) =>
        Effect.forEach(calls, ([name, args]) =>
          Effect.gen(function* () {
            const call = measure([...form.command, ...args], { ...env, ...environment })
            // The first run fills the compile cache, and the system's cache of files.
            yield* call
            const took = yield* turns({ ours: () => call })
            const what = `${form.name}, ${name}`
            return [
              seconds(what, took.ours, form.seconds),
              { ...memory(took.ours, `${what}: peak memory`), atMost: form.mebibytes }
            ]
          })
        )
      )
      return figures.flat(2)
    })
  }
]
