/**
 * Runs everyday commands of a tool on a registry, one after the other, and keeps what may be compared of their results.
 */
import { createHash } from "node:crypto"
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { temporaryFolder } from "../support/command.ts"
import { commandOf } from "../support/tools.ts"
import type { Command, Script } from "./commands.ts"
import { writeContent } from "./content.ts"

/** A registry that speaks http on this machine. */
export interface Registry {
  readonly loginServer: string
  readonly login: { readonly username: string; readonly password: Redacted.Redacted<string> }
}

/** The result of a command: in its output, the registry and the home have the same names everywhere. */
export interface Outcome {
  readonly code: number
  readonly output: string
}

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const execute = (
  command: string,
  args: ReadonlyArray<string>,
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly input: string }
): Effect.Effect<Ended> =>
  Effect.callback((resume) => {
    const { cwd, env, input } = options
    const child = execFile(command, args, { cwd, env, maxBuffer: 1024 ** 2 * 64 }, (error, stdout, stderr) =>
      resume(
        Effect.succeed({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr })
      )
    )
    child.stdin?.on("error", () => undefined)
    child.stdin?.end(input)
    return Effect.sync(() => child.kill())
  })

/** A port on which nothing listens. */
const nowhere = "http://127.0.0.1:1"

/** What a failed command says: the code of OCI, since the words beside it are each registry's own, or what the tool found. */
const refusals: ReadonlyArray<readonly [RegExp, string]> = [
  [/manifest[_ ]invalid/i, "MANIFEST_INVALID"],
  [/manifest[_ ]unknown/i, "MANIFEST_UNKNOWN"],
  [/name[_ ]unknown/i, "NAME_UNKNOWN"],
  [/blob[_ ]unknown/i, "BLOB_UNKNOWN"],
  [/unsupported/i, "UNSUPPORTED"],
  [/denied/i, "DENIED"],
  [/: invalid username\/password"?$/m, "invalid username/password"],
  [/unauthorized/i, "UNAUTHORIZED"],
  [/no signatures found/, "no signatures found"],
  [/not found/, "NOT_FOUND"]
]

const refusalOf = (stderr: string): string => refusals.find(([pattern]) => pattern.test(stderr))?.[1] ?? ""

const inAnyOrder = (text: string): string => text.split("\n").toSorted().join("\n")

/** What differs from run to run: times, durations and speeds. */
const withoutTimes = (text: string): string =>
  text
    .replace(/\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?/g, "$time")
    .replace(/\d+(?:\.\d+)?(?:ms|µs|s)\b/g, "$duration")

const withoutDigests = (text: string): string => text.replace(/sha256([:-])[0-9a-f]{12,64}/g, "sha256$1…")

const comparable = (text: string, random: Command["random"]): string => {
  switch (random) {
    case "digests":
      return withoutDigests(text)
    case "output":
      return ""
    case undefined:
      return text
  }
}

/** Digests that the file of a command has, where it says more than its output. */
const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex").slice(0, 16)

/** Runs all commands of a script in a home of their own. */
export const runScript = Effect.fnUntraced(function* (script: Script, { login, loginServer }: Registry) {
  const home = yield* temporaryFolder
  const digests = yield* writeContent(home)
  const program = script.tool === "skopeo" ? "skopeo" : yield* commandOf(script.tool)
  const names = new Map<string, string>([
    ...Object.entries(digests),
    ["registry", loginServer],
    ["username", login.username],
    ["password", Redacted.value(login.password)]
  ])
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    TMPDIR: home,
    XDG_RUNTIME_DIR: home,
    DOCKER_CONFIG: join(home, ".docker"),
    REGISTRY_AUTH_FILE: join(home, ".docker/config.json"),
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    // Without one, cosign would ask for the password of a key.
    COSIGN_PASSWORD: ""
  }

  const runOne = Effect.fnUntraced(function* ({ anyOrder, as, file, input, line, random }: Command) {
    const args = line.split(" ").map((arg) => arg.replace(/\$(\w+)/g, (all, name: string) => names.get(name) ?? all))
    const ended = yield* execute(program, [...(script.before ?? []), ...args], { cwd: home, env, input: input ?? "" })
    if (as !== undefined) names.set(as, ended.stdout.trim().split(/\s+/).at(-1) ?? "")
    const bytes =
      file === undefined
        ? undefined
        : yield* Effect.promise(() => readFile(join(home, file)).catch(() => Buffer.alloc(0)))
    const said = ended.code === 0 ? ended.stdout : refusalOf(ended.stderr)
    const same = withoutTimes(
      said.replaceAll(loginServer, "$registry").replaceAll(home, "$home").replaceAll(login.username, "$username")
    )
    const text = ended.code === 0 ? comparable(same, random ?? script.random) : same
    const outcome: Outcome = {
      code: ended.code,
      output: [
        anyOrder === true ? inAnyOrder(text) : text,
        ...(bytes === undefined ? [] : [`${file}: ${hashOf(bytes)}`])
      ]
        .join("\n")
        .trim()
    }
    return outcome
  })

  return yield* Effect.forEach(script.commands, runOne)
}, Effect.scoped)
