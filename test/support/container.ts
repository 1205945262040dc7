/**
 * The emulator's container without a container runtime: its root folder, and the programs of its Containerfile in it.
 */
import { spawnSync } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { makeRootfs } from "../release/rootfs.ts"
import { run, temporaryFolder } from "./command.ts"
import { startWith } from "./emulatorCommand.ts"

const file = fileURLToPath(new URL("../../packages/emulator/Containerfile", import.meta.url))

const Words = Schema.fromJsonString(Schema.NonEmptyArray(Schema.String))

/** What the Containerfile runs, and as which user. */
const instructions = Effect.gen(function* () {
  const text = yield* Effect.promise(() => readFile(file, "utf8"))
  const words = (pattern: RegExp) => Schema.decodeEffect(Words)(pattern.exec(text)?.[1] ?? "")
  return {
    entrypoint: yield* words(/^ENTRYPOINT (.+)$/m),
    health: yield* words(/^HEALTHCHECK .*CMD (.+)$/m),
    user: /^USER (\d+):\d+$/m.exec(text)?.[1] ?? ""
  }
})

/** Whether this process may start others in a root folder and as another user. */
const mayChangeRoot = (root: string): boolean =>
  spawnSync("unshare", ["--root", root, "--setuid", "65532", "/usr/local/bin/node", "--version"]).status === 0

/**
 * Starts the entry point of the container in its root folder, as its user; where that is not allowed, plainly from that
 * folder. It goes with the scope.
 */
export const startContainer = Effect.fnUntraced(function* (archive: string, flags: ReadonlyArray<string>) {
  const root = yield* temporaryFolder
  yield* makeRootfs(archive, root)
  const { entrypoint, health, user } = yield* instructions
  const within = mayChangeRoot(root)
  /** The command line for one of the container. */
  const inside = ([program, ...args]: readonly [string, ...Array<string>]): readonly [string, Array<string>] =>
    within
      ? ["unshare", ["--root", root, "--setgid", user, "--setuid", user, `/usr/local/bin/${program}`, ...args]]
      : [process.execPath, args.map((arg) => (arg.startsWith("/opt/") ? join(root, arg) : arg))]
  const moved = flags.map((flag) => (!within && flag.startsWith("/data/") ? join(root, flag) : flag))
  const [program, args] = inside([...entrypoint, ...moved])
  const started = yield* startWith(program, args)
  return {
    ...started,
    /** Whether the health check finds a control API at a port to be ready. */
    isHealthy: (port: string) => {
      const [first, ...rest] = health
      return Effect.map(
        Effect.option(run(...inside([first, ...rest.map((word) => word.replace(":5002/", `:${port}/`))]))),
        Option.isSome
      )
    }
  }
})
