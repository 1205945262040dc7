/**
 * Completions: what the command answers to the scripts, and the scripts in their shells. There is no test of the one for
 * PowerShell.
 */
import { execFile, spawnSync } from "node:child_process"
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eacrFile } from "../../../test/support/programs.ts"
import { shells } from "../src/completions/script.ts"
import { eacr } from "./support/eacr.ts"
import { authConfig } from "./support/registry.ts"

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "eacr-completions-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

const isInstalled = (command: string): boolean => spawnSync(command, ["--version"]).error === undefined

const seeded = AcrEmulator.layer({
  seed: [
    { repository: "shop/api", tags: ["v1.4.0", "v1.5.0", "stable"] },
    { repository: "shop/web", tags: ["v2"] }
  ]
})

/** The environment of a user with a login, a home and a cache of its own. Machines are slow at times. */
const userEnv = Effect.gen(function* () {
  const { loginServer, logins } = yield* AcrEmulator.AcrEmulator
  const home = yield* temporaryFolder
  return {
    DOCKER_AUTH_CONFIG: authConfig(loginServer, logins.adminUser),
    HOME: home,
    XDG_CACHE_HOME: join(home, "cache"),
    EACR_COMPLETION_TIMEOUT: "30000"
  }
})

/** A layout in the user's home, with the tags of a repository. */
const withLayout = Effect.fnUntraced(function* (name: string) {
  const env = yield* userEnv
  const { loginServer } = yield* AcrEmulator.AcrEmulator
  const layout = join(env.HOME, name)
  const args = ["cp", "--all-tags", `${loginServer}/shop/api`, "--to-layout", layout]
  const { code, stderr } = yield* eacr(args, { env })
  assert.strictEqual(code, 0, stderr)
  return { env, layout }
})

/** What the words before the cursor and the one at it are completed to. */
const completed = Effect.fnUntraced(function* (words: ReadonlyArray<string>, env?: Readonly<Record<string, string>>) {
  const { loginServer } = yield* AcrEmulator.AcrEmulator
  const args = words.map((word) => word.replaceAll("$REGISTRY", loginServer))
  const { code, stderr, stdout } = yield* eacr(["__complete", "--", ...args], { env: env ?? (yield* userEnv) })
  assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replaceAll(loginServer, "$REGISTRY"))
})

const nameSets: ReadonlyArray<readonly [string, ReadonlyArray<string>, ReadonlyArray<string>]> = [
  ["registries with a login", ["digest", ""], ["$REGISTRY/"]],
  ["repositories", ["digest", "$REGISTRY/"], ["$REGISTRY/shop/api", "$REGISTRY/shop/web"]],
  ["repositories that begin with the word", ["tree", "--json", "$REGISTRY/shop/w"], ["$REGISTRY/shop/web"]],
  ["tags", ["digest", "$REGISTRY/shop/api:v"], ["$REGISTRY/shop/api:v1.4.0", "$REGISTRY/shop/api:v1.5.0"]],
  ["tags after a whole repository", ["digest", "$REGISTRY/shop/web"], ["$REGISTRY/shop/web", "$REGISTRY/shop/web:v2"]],
  ["repositories alone where no tag belongs", ["ls", "$REGISTRY/shop/web"], ["$REGISTRY/shop/web"]],
  ["arguments of nested verbs", ["trash", "restore", "$REGISTRY/shop/web:"], ["$REGISTRY/shop/web:v2"]],
  ["tags that are to go", ["untag", "$REGISTRY/shop/web:"], ["$REGISTRY/shop/web:v2"]],
  ["no names for a new tag", ["tag", "$REGISTRY/shop/api:v1.4.0", ""], []],
  ["no names for the value of a flag", ["digest", "--platform", ""], []],
  ["no names of a registry for a layout that is not there", ["digest", "--layout", "folder", ""], []],
  ["no names for an archive", ["digest", "--archive", "file.tar", ""], []],
  ["no names of a registry that cannot be reached", ["digest", "127.0.0.1:1/"], []],
  ["no names of an unknown verb", ["dgst", "$REGISTRY/"], []]
]

layer(seeded, { excludeTestServices: true })("the command completes", (it) => {
  for (const [what, words, expected] of nameSets) {
    it.effect(what, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* completed(words), expected)
      }).pipe(Effect.scoped)
    )
  }

  const layoutCalls: ReadonlyArray<readonly [ReadonlyArray<string>, ReadonlyArray<string>]> = [
    [
      ["digest", "--layout", "$LAYOUT", "v1"],
      ["v1.4.0", "v1.5.0"]
    ],
    [["digest", "--layout=$LAYOUT", "st"], ["stable"]],
    [["untag", "--layout", "$LAYOUT", "st"], ["stable"]],
    [["cp", "--from-layout", "$LAYOUT", "st"], ["stable"]],
    [["cp", "--from-layout", "$LAYOUT", "v1.4.0", "$REGISTRY/shop/w"], ["$REGISTRY/shop/web"]],
    [["cp", "$REGISTRY/shop/web:v2", "--to-layout", "$LAYOUT", "st"], ["stable"]],
    [["tag", "--layout", "$LAYOUT", "v1.4.0", "st"], []],
    [["ls", "--layout", "$LAYOUT", ""], []]
  ]
  for (const [words, expected] of layoutCalls) {
    it.effect(`tags of a layout: eacr ${words.join(" ")}`, () =>
      Effect.gen(function* () {
        const { layout } = yield* withLayout("layout")
        const given = words.map((word) => word.replace("$LAYOUT", layout))
        assert.deepStrictEqual(yield* completed(given), expected)
      }).pipe(Effect.scoped)
    )
  }

  it.effect("from the cache for a minute", () =>
    Effect.gen(function* () {
      const env = yield* userEnv
      const { clearJournal, journal } = yield* AcrEmulator.AcrEmulator
      const first = yield* completed(["digest", "$REGISTRY/shop/api:"], env)
      yield* clearJournal
      assert.deepStrictEqual(yield* completed(["digest", "$REGISTRY/shop/api:"], env), first)
      assert.deepStrictEqual(yield* journal, [])
      const kept = join(env.XDG_CACHE_HOME, "eacr/completions")
      const [name = "", ...others] = yield* Effect.promise(() => readdir(kept))
      assert.deepStrictEqual(others, [])
      const { mode } = yield* Effect.promise(() => stat(kept))
      assert.strictEqual(mode & 0o077, 0, "others can read the names")
      yield* Effect.promise(async () => {
        const entry = JSON.parse(await readFile(join(kept, name), "utf8"))
        const older = { ...entry, atMillis: entry.atMillis - 60_000, names: ["of-a-minute-ago"] }
        await writeFile(join(kept, name), JSON.stringify(older))
      })
      assert.deepStrictEqual(yield* completed(["digest", "$REGISTRY/shop/api:"], env), first)
    }).pipe(Effect.scoped)
  )

  it.effect("nothing, and in time, if a registry does not answer", () =>
    Effect.gen(function* () {
      const { inject } = yield* AcrEmulator.AcrEmulator
      yield* inject({ path: "/_catalog", times: "always", consequence: { _tag: "Stall" } })
      const env = { ...(yield* userEnv), EACR_COMPLETION_TIMEOUT: "50" }
      assert.deepStrictEqual(yield* completed(["digest", "$REGISTRY/shop"], env), [])
    }).pipe(Effect.scoped, Effect.provide(AcrEmulator.layer()))
  )

  it.effect("nothing without a login, and does not ask for one", () =>
    Effect.gen(function* () {
      const env = { HOME: yield* temporaryFolder }
      assert.deepStrictEqual(yield* completed(["digest", "$REGISTRY/shop"], env), [])
    }).pipe(Effect.scoped)
  )
})

/** A folder with the command in it, and the script of a shell. */
const installed = Effect.fnUntraced(function* (shell: (typeof shells)[number]) {
  const folder = yield* temporaryFolder
  const { stdout } = yield* eacr(["completions", shell])
  const command = `#!/bin/sh\nexec '${process.execPath}' '${eacrFile}' "$@"\n`
  yield* Effect.promise(async () => {
    await writeFile(join(folder, "eacr"), command)
    await chmod(join(folder, "eacr"), 0o755)
    await writeFile(join(folder, "completions"), stdout)
  })
  return { folder, script: join(folder, "completions") }
})

/** Runs a program of a shell, and returns what it prints. */
const shellOut = (
  command: string,
  args: ReadonlyArray<string>,
  { env, folder }: { readonly folder: string; readonly env: Readonly<Record<string, string>> }
) =>
  Effect.callback<string>((resume) => {
    const path = `${folder}${delimiter}${process.env["PATH"] ?? ""}`
    const child = execFile(command, args, { env: { ...env, PATH: path } }, (error, stdout, stderr) =>
      resume(error === null ? Effect.succeed(`${stdout}${stderr}`) : Effect.die(new Error(`${stdout}${stderr}`)))
    )
    return Effect.sync(() => child.kill())
  })

/** Splits a line at what ends words for readline, and calls the function that the shell would call. */
const bashProgram = `
  source "$1"
  complete -p eacr
  shift
  COMP_WORDS=("$@")
  COMP_CWORD=$(( $# - 1 ))
  COMP_LINE="$LINE"
  COMP_POINT=\${#COMP_LINE}
  _eacr_names eacr "$WORD" "" 2>&1
  printf '%s\\n' "\${COMPREPLY[@]}"
`

describe("the script", () => {
  for (const shell of shells) {
    it.effect(`for ${shell} says how it is installed, and what it asks`, () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* eacr(["completions", shell])
        assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
        assert.include(stdout, `eacr completions ${shell}`)
        assert.include(stdout, "__complete")
        assert.notInclude(stdout, "--completions")
        assert.include(stdout, "jsonl")
      })
    )
  }

  for (const shell of ["bash", "zsh", "fish"] as const) {
    it.effect.skipIf(!isInstalled(shell))(`is one that ${shell} reads (skipped where it is not installed)`, () =>
      Effect.gen(function* () {
        const { folder, script } = yield* installed(shell)
        assert.strictEqual(yield* shellOut(shell, ["-n", script], { folder, env: {} }), "")
      }).pipe(Effect.scoped)
    )
  }

  it.effect.skipIf(!isInstalled("shellcheck"))("for bash has no error that shellcheck knows", () =>
    Effect.gen(function* () {
      const { folder, script } = yield* installed("bash")
      yield* shellOut("shellcheck", ["--shell=bash", "--severity=error", script], { folder, env: {} })
    }).pipe(Effect.scoped)
  )
})

/** Types lines into a zsh of a user. */
const zshOf = (user: Readonly<Record<string, string>>) =>
  Effect.map(installed("zsh"), ({ folder, script }) => (line: string) => {
    const env = { ...user, SCRIPT: script }
    return shellOut("zsh", ["-f", "-c", zshProgram, "zsh", line], { folder, env })
  })

layer(seeded, { excludeTestServices: true })("in a shell,", (it) => {
  const bash = Effect.fnUntraced(function* (
    pieces: ReadonlyArray<string>,
    word: string,
    user?: Readonly<Record<string, string>>
  ) {
    const { folder, script } = yield* installed("bash")
    const { loginServer } = yield* AcrEmulator.AcrEmulator
    const [host = "", port = ""] = loginServer.split(":")
    const words = pieces.flatMap((piece) => (piece === "$REGISTRY" ? [host, ":"] : [piece.replace("$PORT", port)]))
    const line = words.join(" ").replaceAll(" : ", ":").replace(/ :$/, ":")
    const env = { ...(user ?? (yield* userEnv)), LINE: line, WORD: word.replace("$PORT", port) }
    const printed = yield* shellOut("bash", ["--norc", "-c", bashProgram, "bash", script, ...words], { folder, env })
    const [registration, ...names] = printed.trimEnd().split("\n")
    assert.strictEqual(registration, "complete -o default -F _eacr_names eacr")
    return names.map((name) => name.replace(port, "$PORT"))
  })

  it.effect("bash completes verbs and flags", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* bash(["eacr", "dig"], "dig"), ["digest"])
      assert.deepStrictEqual(yield* bash(["eacr", "digest", "--plat"], "--plat"), ["--platform"])
    }).pipe(Effect.scoped)
  )

  it.effect("bash completes repositories behind the colon of a port", () =>
    Effect.gen(function* () {
      const names = yield* bash(["eacr", "digest", "$REGISTRY", "$PORT/shop/"], "$PORT/shop/")
      assert.deepStrictEqual(names, ["$PORT/shop/api", "$PORT/shop/web"])
    }).pipe(Effect.scoped)
  )

  it.effect("bash completes tags behind the colon of a tag", () =>
    Effect.gen(function* () {
      const names = yield* bash(["eacr", "digest", "$REGISTRY", "$PORT/shop/api", ":", "v1"], "v1")
      assert.deepStrictEqual(names, ["v1.4.0", "v1.5.0"])
    }).pipe(Effect.scoped)
  )

  it.effect("bash completes the tags of a layout", () =>
    Effect.gen(function* () {
      const { env } = yield* withLayout("layout")
      const names = yield* bash(["eacr", "digest", "--layout", "~/layout", "v1"], "v1", env)
      assert.deepStrictEqual(names, ["v1.4.0", "v1.5.0"])
    }).pipe(Effect.scoped)
  )

  it.effect.skipIf(!isInstalled("fish"))("fish completes verbs, flags, repositories, tags and those of a layout", () =>
    Effect.gen(function* () {
      const { folder, script } = yield* installed("fish")
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      const { env } = yield* withLayout("layout")
      const fish = (line: string) =>
        Effect.map(
          shellOut("fish", ["--no-config", "-c", `source ${script}; complete -C '${line}'`], { folder, env }),
          (printed) =>
            printed
              .trim()
              .split("\n")
              .map((name) => name.replace(/\t.*/, ""))
        )
      assert.include(yield* fish("eacr di"), "digest")
      assert.include(yield* fish("eacr digest --plat"), "--platform")
      assert.deepStrictEqual(yield* fish(`eacr digest ${loginServer}/shop/w`), [`${loginServer}/shop/web`])
      assert.deepStrictEqual(yield* fish("eacr digest --layout ~/layout st"), ["stable"])
      assert.deepStrictEqual(yield* fish(`eacr digest ${loginServer}/shop/api:v`), [
        `${loginServer}/shop/api:v1.4.0`,
        `${loginServer}/shop/api:v1.5.0`
      ])
    }).pipe(Effect.scoped)
  )

  it.effect.skipIf(!isInstalled("zsh"))("zsh completes the tags of a layout", () =>
    Effect.gen(function* () {
      const { env, layout } = yield* withLayout("my layout")
      const zsh = yield* zshOf(env)
      for (const folder of [`'${layout}'`, "~/my\\ layout"]) {
        const line = `eacr digest --layout ${folder} st`
        assert.include(yield* zsh(line), `<${line}able>`)
      }
    }).pipe(Effect.scoped)
  )

  it.effect.skipIf(!isInstalled("zsh"))("zsh completes verbs and tags", () =>
    Effect.gen(function* () {
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      const zsh = yield* zshOf(yield* userEnv)
      assert.include(yield* zsh("eacr unl"), "<eacr unlock >")
      assert.include(
        yield* zsh(`eacr digest ${loginServer}/shop/api:st`),
        `<eacr digest ${loginServer}/shop/api:stable>`
      )
    }).pipe(Effect.scoped)
  )
})

/** Types a line and a tab into a zsh on a pseudo-terminal, which then shows its line between angle brackets. */
const zshProgram = `
  zmodload zsh/zpty
  zpty shell zsh -f -i
  ask() { zpty -w shell "$1" }
  ask "PS1= PROMPT_EOL_MARK= ; autoload -Uz compinit; compinit -u -D; source $SCRIPT"
  ask 'show() { print -r -- "<$BUFFER>"; exit }; zle -N show; bindkey "^X" show; print rea""dy'
  while zpty -r shell line; do [[ "$line" == *ready* ]] && break; done
  zpty -w -n shell "$1"$'\\t'$'\\x18'
  while zpty -r shell line; do print -r -- "$line"; done
`
