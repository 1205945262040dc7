/**
 * Logins of real processes: terminals, lists of processes, credential helpers, authorities of the environment, and the
 * identity of Azure.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { connectProxy } from "../../node/test/support/connectProxy.ts"
import { eacrFile } from "../../../test/support/programs.ts"
import { eacrProcess, start } from "./support/process.ts"

const password = "Pa55:word with spaces"
const adminUser = { username: "contoso", password: Redacted.make(password) }
const seed = [{ repository: "shop/api", tags: ["v1"] }]

const emulated = <A, E>(effect: Effect.Effect<A, E, AcrEmulator.AcrEmulator>, options: AcrEmulator.Options = {}) =>
  Effect.provide(effect, AcrEmulator.layer({ seed, adminUser, ...options }))

/** A home, and programs that come before those of the `PATH`. */
const world = (programs: Readonly<Record<string, string>> = {}, config?: unknown) => {
  const home = mkdtempSync(join(tmpdir(), "effect-acr-process-"))
  const folder = join(home, "bin")
  const file = join(home, ".docker", "config.json")
  mkdirSync(folder)
  mkdirSync(join(home, ".docker"))
  if (config !== undefined) writeFileSync(file, JSON.stringify(config))
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  return { home, file, env: { HOME: home, PATH: `${folder}:${process.env["PATH"] ?? ""}` } }
}

const timeout = 120_000

const quoted = (text: string) => `'${text}'`

/** Runs the command under a pseudo-terminal. */
const onTerminal = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
  start("script", ["-qec", [process.execPath, eacrFile, ...args].map(quoted).join(" "), "/dev/null"], {
    TERM: "xterm",
    ...env
  })

describe("a terminal", () => {
  it.live(
    "is asked for the name and the password, which it does not show",
    () =>
      emulated(
        Effect.gen(function* () {
          const { loginServer } = yield* AcrEmulator.AcrEmulator
          const { env, file } = world()
          const { child, finished, printed } = yield* onTerminal(["login", loginServer], env)
          yield* printed("User name")
          child.stdin?.write("contoso\r")
          yield* printed("Password of contoso")
          child.stdin?.write(`${password}\r`)
          const { code, stdout } = yield* finished
          assert.strictEqual(code, 0, stdout)
          assert.notInclude(stdout, password)
          assert.notInclude(stdout, "Pa55")
          assert.include(readFileSync(file, "utf8"), btoa(`contoso:${password}`))
        }).pipe(Effect.scoped)
      ),
    timeout
  )

  it.live(
    "is asked for the password with --password-stdin",
    () =>
      emulated(
        Effect.gen(function* () {
          const { loginServer } = yield* AcrEmulator.AcrEmulator
          const { env, file } = world()
          const args = ["login", loginServer, "-u", "contoso", "--password-stdin"]
          const { child, finished, printed } = yield* onTerminal(args, env)
          yield* printed("Password of contoso")
          child.stdin?.write(`${password}\r`)
          const { code, stdout } = yield* finished
          assert.strictEqual(code, 0, stdout)
          assert.notInclude(stdout, "Pa55")
          assert.isTrue(existsSync(file))
        }).pipe(Effect.scoped)
      ),
    timeout
  )

  it.live(
    "ends the command by Ctrl-C at the question, and nothing is stored",
    () =>
      emulated(
        Effect.gen(function* () {
          const { loginServer } = yield* AcrEmulator.AcrEmulator
          const { env, file } = world()
          const { child, finished, printed } = yield* onTerminal(["login", loginServer, "-u", "contoso"], env)
          yield* printed("Password of contoso")
          child.stdin?.write("\u0003")
          assert.strictEqual((yield* finished).code, 130)
          assert.isFalse(existsSync(file))
        }).pipe(Effect.scoped)
      ),
    timeout
  )
})

describe("the list of processes", () => {
  it.live(
    "shows no password: neither of the command nor of a credential helper",
    () =>
      emulated(
        Effect.gen(function* () {
          const { loginServer } = yield* AcrEmulator.AcrEmulator
          const kept = "$HOME/kept"
          const helper = [
            // As the list of processes shows them: the helper with its arguments and variables, and the command.
            `tr '\\0' ' ' < /proc/$$/cmdline >> $HOME/shown`,
            `tr '\\0' ' ' < /proc/$PPID/cmdline >> $HOME/shown`,
            `env >> $HOME/shown`,
            `case $1 in`,
            `store) cat > ${kept} ;;`,
            `get) cat > /dev/null; cat ${kept} ;;`,
            `erase) cat > /dev/null; rm ${kept} ;;`,
            `esac`
          ].join("\n")
          const { env, file, home } = world({ "docker-credential-kept": helper }, { credsStore: "kept" })
          const login = ["login", loginServer, "-u", "contoso", "--password-stdin", "-vv"]
          const stored = yield* eacrProcess(login, { env, stdin: `${password}\n` })
          assert.strictEqual(stored.code, 0, stored.stderr)
          assert.include(stored.stdout, "docker-credential-kept")
          assert.deepStrictEqual(JSON.parse(readFileSync(file, "utf8")), {
            auths: { [loginServer]: {} },
            credsStore: "kept"
          })
          const who = yield* eacrProcess(["whoami", loginServer, "-vv"], { env })
          assert.match(who.stdout, /^docker\tused\tcontoso, docker-credential-kept$/m)
          const listed = yield* eacrProcess(["ls", loginServer, "-vv"], { env })
          assert.strictEqual(listed.stdout, "shop/api\n")
          const out = yield* eacrProcess(["logout", loginServer, "-vv"], { env })
          assert.strictEqual(out.stdout, `erased\t${loginServer}\tdocker-credential-kept\n`)

          const shown = readFileSync(join(home, "shown"), "utf8")
          assert.include(shown, "--password-stdin")
          const texts = [shown, ...[stored, who, listed, out].flatMap(({ stderr, stdout }) => [stdout, stderr])]
          for (const text of texts) {
            assert.notInclude(text, password)
            assert.notInclude(text, btoa(`contoso:${password}`))
            // The head of each JSON Web Token.
            assert.notMatch(text, /eyJ/)
          }
        })
      ),
    timeout
  )
})

describe("the environment", () => {
  it.live(
    "names authorities that are trusted, by NODE_EXTRA_CA_CERTS",
    () =>
      emulated(
        Effect.gen(function* () {
          const { certificate, loginServer } = yield* AcrEmulator.AcrEmulator
          const { env, home } = world()
          const file = join(home, "ca.pem")
          writeFileSync(file, Option.getOrThrow(certificate))
          const login = ["login", loginServer, "--no-plain-http", "-u", "contoso", "--password-stdin"]
          const untrusted = yield* eacrProcess(login, { env, stdin: password })
          assert.deepStrictEqual([untrusted.code, untrusted.stdout], [7, ""], untrusted.stderr)
          const trusted = yield* eacrProcess(login, { env: { ...env, NODE_EXTRA_CA_CERTS: file }, stdin: password })
          assert.strictEqual(trusted.code, 0, trusted.stderr)
        }),
        { https: true }
      ),
    timeout
  )

  it.live(
    "may have no HOME: the folder of DOCKER_CONFIG is enough",
    () =>
      emulated(
        Effect.gen(function* () {
          const { loginServer } = yield* AcrEmulator.AcrEmulator
          const { home } = world()
          const env = { DOCKER_CONFIG: join(home, "own") }
          const login = ["login", loginServer, "-u", "contoso", "--password-stdin"]
          assert.strictEqual((yield* eacrProcess(login, { env, stdin: password })).code, 0)
          assert.strictEqual((yield* eacrProcess(["ls", loginServer], { env })).stdout, "shop/api\n")
        })
      ),
    timeout
  )
})

describe("a registry of Azure", () => {
  it.live(
    "takes the identity of az, whose token is exchanged for one of the registry",
    () =>
      emulated(
        Effect.gen(function* () {
          const { certificate, logins, loginServer } = yield* AcrEmulator.AcrEmulator
          const proxy = yield* connectProxy({ leadsTo: Number(loginServer.split(":").at(-1)) })
          const token = JSON.stringify({
            accessToken: Redacted.value(logins.entraToken),
            expiresOn: "2099-01-01 00:00:00.000000",
            expires_on: 4_070_908_800,
            subscription: "00000000-0000-0000-0000-000000000000",
            tenant: "00000000-0000-0000-0000-000000000000",
            tokenType: "Bearer"
          })
          const { env, file, home } = world({ az: `echo '${token}'` })
          const ca = join(home, "ca.pem")
          writeFileSync(ca, Option.getOrThrow(certificate))
          const variables = {
            ...env,
            HTTPS_PROXY: `http://${proxy.host}`,
            AZURE_TOKEN_CREDENTIALS: "AzureCliCredential"
          }
          const run = (...args: ReadonlyArray<string>) =>
            eacrProcess([...args, "--ca-file", ca, "-vv"], { env: variables })
          const before = yield* run("whoami", loginServer)
          assert.match(before.stdout, /^azure\tused\tDefaultAzureCredential$/m)

          const { code, stderr, stdout } = yield* run("login", loginServer)
          assert.strictEqual(code, 0, stderr)
          assert.match(stdout, /^valid until\t2\d{3}-/m)
          const entry = JSON.parse(readFileSync(file, "utf8")).auths[loginServer]
          assert.strictEqual(entry.auth, btoa("00000000-0000-0000-0000-000000000000:"))
          assert.match(entry.identitytoken, /^eyJ/)
          for (const secret of [entry.identitytoken, Redacted.value(logins.entraToken)]) {
            assert.notInclude(stdout + stderr + before.stdout + before.stderr, secret)
          }
          const after = yield* run("whoami", loginServer)
          assert.include(after.stdout, `docker\tused\t${file}\n`)
          assert.strictEqual((yield* run("ls", loginServer)).stdout, "shop/api\n")
        }).pipe(Effect.scoped),
        { https: true, publicHost: "myregistry.azurecr.io" }
      ),
    timeout
  )
})
