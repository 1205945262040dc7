/**
 * Logging in and out, and which login is used.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { createServer, type RequestListener } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { eacr, type Given } from "./support/eacr.ts"

const password = "Pa55:word with spaces "

const emulator = AcrEmulator.layer({
  adminUser: { username: "contoso", password: Redacted.make(password) },
  seed: [{ repository: "shop/api", tags: ["v1"] }]
})

/** A user with a home of their own. */
const user = (config?: unknown) =>
  Effect.sync(() => {
    const home = mkdtempSync(join(tmpdir(), "effect-acr-login-"))
    const file = join(home, ".docker", "config.json")
    mkdirSync(join(home, ".docker"))
    if (config !== undefined) writeFileSync(file, typeof config === "string" ? config : JSON.stringify(config))
    const run = (args: ReadonlyArray<string>, given: Given = {}) =>
      Effect.flatMap(AcrEmulator.AcrEmulator, ({ loginServer }) =>
        eacr(
          args.map((arg) => arg.replaceAll("$REGISTRY", loginServer)),
          { ...given, env: { HOME: home, ...given.env } }
        )
      )
    return { file, run, text: () => readFileSync(file, "utf8") }
  })

/** A registry that answers as it likes. */
const serving = (answer: RequestListener) =>
  Effect.gen(function* () {
    const server = createServer(answer)
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
      () => Effect.sync(() => server.close())
    )
    const address = server.address()
    return `127.0.0.1:${typeof address === "object" ? address?.port : ""}`
  })

const logIn = ["login", "$REGISTRY", "-u", "contoso", "--password-stdin"]

layer(emulator, { excludeTestServices: true })("logins", (it) => {
  describe("login", () => {
    const inputs: ReadonlyArray<readonly [string, string]> = [
      ["without a line end", password],
      ["with a line end of Unix", `${password}\n`],
      ["with a line end of Windows", `${password}\r\n`]
    ]
    for (const [name, stdin] of inputs) {
      it.effect(`checks a password ${name} and stores it where docker does`, () =>
        Effect.gen(function* () {
          const { loginServer } = yield* AcrEmulator.AcrEmulator
          const { file, run, text } = yield* user()
          const { code, stderr, stdout } = yield* run(logIn, { stdin })
          assert.strictEqual(code, 0, stderr)
          assert.strictEqual(stdout, `registry\t${loginServer}\nlogin\tcontoso\nstored in\t${file}\n`)
          assert.match(stderr, /^warning: the login in .* is not encrypted/)
          assert.deepStrictEqual(JSON.parse(text()), {
            auths: { [loginServer]: { auth: btoa(`contoso:${password}`) } }
          })
          assert.strictEqual((yield* run(["ls", "$REGISTRY"])).stdout, "shop/api\n")
        })
      )
    }

    const wrong: ReadonlyArray<readonly [string, ReadonlyArray<string>, string, number]> = [
      ["a wrong password", logIn, "wrong", 5],
      ["two line ends, of which one is part of the password", logIn, `${password}\n\n`, 5],
      ["no password", logIn, "", 2],
      ["a line end alone", logIn, "\n", 2],
      ["no name in a pipe", ["login", "$REGISTRY"], password, 2],
      ["a password without a name", ["login", "$REGISTRY", "--password-stdin"], password, 2],
      ["a name without a password in a pipe", ["login", "$REGISTRY", "-u", "contoso"], password, 2],
      ["a name with a colon", ["login", "$REGISTRY", "-u", "con:toso", "--password-stdin"], password, 2],
      ["a path", ["login", "$REGISTRY/shop/api", "-u", "contoso", "--password-stdin"], password, 2]
    ]
    for (const [name, args, stdin, expected] of wrong) {
      it.effect(`refuses ${name}, and stores nothing`, () =>
        Effect.gen(function* () {
          const { file, run } = yield* user()
          const { code, stderr, stdout } = yield* run([...args, "-vv"], { stdin })
          assert.deepStrictEqual({ code, stdout }, { code: expected, stdout: "" }, stderr)
          assert.isFalse(existsSync(file))
          assert.notInclude(stderr, password)
        })
      )
    }

    it.effect("refuses a password that is not UTF-8, and stores nothing", () =>
      Effect.gen(function* () {
        const { file, run } = yield* user()
        const { code, stderr, stdout } = yield* run(logIn, { stdin: Buffer.from("p\u00e4ss", "latin1") })
        assert.deepStrictEqual({ code, stdout }, { code: 2, stdout: "" })
        assert.include(stderr, "not UTF-8")
        assert.isFalse(existsSync(file))
      })
    )

    it.effect("requires a user name with --password-stdin, as the help says", () =>
      Effect.gen(function* () {
        const { run } = yield* user()
        const { stderr } = yield* run(["login", "$REGISTRY", "--password-stdin"], { stdin: password })
        assert.include(stderr, "--password-stdin needs a user name: -u NAME")
        assert.include((yield* run(["login", "--help"])).stdout, "Requires -u NAME")
      })
    )

    it.effect("explains a wrong password", () =>
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const { run } = yield* user()
        const { stderr } = yield* run(logIn, { stdin: "wrong" })
        assert.include(stderr, `error: cannot log in to ${loginServer}\n`)
        assert.include(stderr, "the user name or the password is wrong")
      })
    )

    it.effect("takes no password as an argument, which process lists would show", () =>
      Effect.gen(function* () {
        const { run } = yield* user()
        for (const given of [["--password=hunter2"], ["-p", "hunter2"]]) {
          const { code, stderr, stdout } = yield* run(["login", "$REGISTRY", "-u", "contoso", ...given])
          assert.deepStrictEqual({ code, stdout }, { code: 2, stdout: "" })
          assert.notInclude(stderr, "hunter2")
        }
      })
    )

    it.effect("prints nothing with -q, and neither does logout", () =>
      Effect.gen(function* () {
        const { run } = yield* user()
        const silence = { code: 0, stdout: "", stderr: "" }
        assert.deepStrictEqual(yield* run([...logIn, "-q"], { stdin: password }), silence)
        assert.deepStrictEqual(yield* run(["logout", "$REGISTRY", "-q"]), silence)
      })
    )

    it.effect("checks and stores nothing with --dry-run", () =>
      Effect.gen(function* () {
        const { file, run } = yield* user()
        const { code, stdout } = yield* run([...logIn, "--dry-run", "--json"], { stdin: password })
        assert.strictEqual(code, 0)
        assert.deepInclude(JSON.parse(stdout), {
          isDryRun: true,
          username: "contoso",
          place: file,
          isByHelper: false,
          isChecked: true
        })
        assert.isFalse(existsSync(file))
        assert.strictEqual((yield* run([...logIn, "--dry-run"], { stdin: "wrong" })).code, 5)
      })
    )

    it.effect("reports that a registry without logins did not check one", () =>
      Effect.gen(function* () {
        const registry = yield* serving((_, response) => response.end("{}"))
        const { file, run } = yield* user()
        const args = ["login", registry, "-u", "anyone", "--password-stdin", "--json"]
        const { code, stderr, stdout } = yield* run(args, { stdin: "anything" })
        assert.strictEqual(code, 0)
        assert.include(stderr, `warning: ${registry} requires no login, and did not check this one`)
        const { stdout: told } = yield* run(["whoami", registry])
        assert.include(told, "registry\taccepts it\tit requires no login, and did not check one\n")
        const { stdout: checked } = yield* run(["doctor", registry])
        assert.match(checked, /^login\tok\t.*; the registry requires no login, and did not check one$/m)
        assert.deepInclude(JSON.parse(stdout), { isChecked: false, place: file })
      })
    )

    it.effect("refuses a file that is not JSON, and leaves it unchanged", () =>
      Effect.gen(function* () {
        const { file, run, text } = yield* user('{"auths": {"ghcr.io": {"auth": "c2VjcmV0"')
        const { code, stderr, stdout } = yield* run(logIn, { stdin: password })
        assert.deepStrictEqual({ code, stdout }, { code: 8, stdout: "" })
        assert.include(stderr, file)
        assert.notInclude(stderr, "c2VjcmV0")
        assert.strictEqual(text(), '{"auths": {"ghcr.io": {"auth": "c2VjcmV0"')
        // A dry run foresees it.
        assert.strictEqual((yield* run([...logIn, "--dry-run"], { stdin: password })).code, 8)
        assert.strictEqual((yield* run(["logout", "$REGISTRY", "--dry-run"])).code, 8)
      })
    )

    it.effect("reports which credential helper failed, without the password", () =>
      Effect.gen(function* () {
        const { run, text } = yield* user({ credsStore: "failing" })
        const programs = mkdtempSync(join(tmpdir(), "effect-acr-helper-"))
        writeFileSync(join(programs, "docker-credential-failing"), "#!/bin/sh\ncat >&2; exit 3\n", { mode: 0o755 })
        const before = process.env["PATH"]
        process.env["PATH"] = `${programs}:${before ?? ""}`
        const { code, stderr, stdout } = yield* Effect.ensuring(
          run(logIn, { stdin: password }),
          Effect.sync(() => (process.env["PATH"] = before))
        )
        assert.deepStrictEqual({ code, stdout }, { code: 1, stdout: "" })
        assert.include(stderr, "docker-credential-failing: it ended with exit code 3")
        assert.notInclude(stderr, password)
        assert.strictEqual(text(), '{"credsStore":"failing"}')
      })
    )

    it.effect("reports which file cannot be read or written", () =>
      Effect.gen(function* () {
        const { file, run } = yield* user("{}")
        const own = yield* run(logIn, { stdin: password, env: { DOCKER_CONFIG: file } })
        assert.deepStrictEqual({ code: own.code, stdout: own.stdout }, { code: 1, stdout: "" })
        assert.include(own.stderr, `${file}/config.json: it can't be `)
        mkdirSync(join(file, "..", "folder", "config.json"), { recursive: true })
        const env = { DOCKER_CONFIG: join(file, "..", "folder") }
        const folder = yield* run(logIn, { stdin: password, env })
        assert.deepStrictEqual({ code: folder.code, stdout: folder.stdout }, { code: 1, stdout: "" })
        assert.include(folder.stderr, "config.json: it is no file")
      })
    )

    it.effect("reports which credential helper is missing", () =>
      Effect.gen(function* () {
        const { run } = yield* user({ credsStore: "that-is-nowhere" })
        const { code, stderr } = yield* run(logIn, { stdin: password })
        assert.strictEqual(code, 1)
        assert.include(stderr, "docker-credential-that-is-nowhere")
        assert.include(stderr, "install it, or remove it from docker's configuration")
      })
    )
  })

  describe("logout", () => {
    it.effect("erases the login, and reports where it was", () =>
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const { file, run, text } = yield* user()
        yield* run(logIn, { stdin: password })
        const dry = yield* run(["logout", "$REGISTRY", "--dry-run"])
        assert.strictEqual(dry.stdout, `would be erased\t${loginServer}\t${file}\n`)
        assert.include(text(), loginServer)
        assert.strictEqual((yield* run(["logout", "$REGISTRY"])).stdout, `erased\t${loginServer}\t${file}\n`)
        assert.deepStrictEqual(JSON.parse(text()), { auths: {} })
        const again = yield* run(["logout", "$REGISTRY"])
        assert.deepStrictEqual(again, { code: 0, stdout: `absent\t${loginServer}\t\n`, stderr: "" })
      })
    )

    it.effect("reports another login, which it keeps", () =>
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const { run } = yield* user()
        const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [loginServer]: { auth: btoa("a:b") } } }) }
        const { stderr } = yield* run(["logout", "$REGISTRY"], { env })
        assert.strictEqual(stderr, "warning: there is another login in DOCKER_AUTH_CONFIG\n")
      })
    )
  })

  describe("whoami", () => {
    it.effect("shows which login is used, where it comes from, and what it may do", () =>
      Effect.gen(function* () {
        const { file, run } = yield* user()
        yield* run(logIn, { stdin: password })
        const { code, stderr, stdout } = yield* run(["whoami", "$REGISTRY", "--repository", "shop/api"])
        assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
        assert.match(
          stdout,
          new RegExp(
            [
              `^docker\tused\tcontoso, ${file}`,
              "azure\tnot tried\t",
              "anonymous\tnot tried\t",
              "registry\taccepts it\t",
              "token\tof\t.+",
              "token\tvalid until\t2\\d{3}-.*Z",
              "token\tallows\trepository shop/api: .*pull.*\n$"
            ].join("\n")
          )
        )
        const json = yield* run(["whoami", "$REGISTRY", "--json"])
        assert.deepInclude(JSON.parse(json.stdout).logins[0], { kind: "docker", state: "used", source: file })
      })
    )

    it.effect("shows why no login is used", () =>
      Effect.gen(function* () {
        const { file, run } = yield* user()
        const { code, stdout } = yield* run(["whoami", "$REGISTRY"])
        assert.strictEqual(code, 5)
        const [docker = "", azure = "", anonymous, registry = ""] = stdout.split("\n")
        assert.match(docker, /^docker\tnot set up\t/)
        assert.include(docker, file)
        assert.match(azure, /^azure\tnot set up\t/)
        assert.strictEqual(anonymous, "anonymous\tused\t")
        assert.match(registry, /^registry\tdoes not accept it\tUNAUTHORIZED/)
      })
    )

    it.effect("reports an unreadable file, without its content", () =>
      Effect.gen(function* () {
        const { file, run } = yield* user('{"auths": {"ghcr.io": {"auth": "c2VjcmV0"')
        const { stdout } = yield* run(["whoami", "$REGISTRY"])
        assert.match(stdout, /^docker\tfailed\t/)
        assert.include(stdout, file)
        assert.notInclude(stdout, "c2VjcmV0")
      })
    )

    it.effect("does not call a login refused that no registry saw", () =>
      Effect.gen(function* () {
        const { run } = yield* user()
        const { code, stdout } = yield* run(["whoami", "127.0.0.1:1"])
        assert.strictEqual(code, 7)
        assert.match(stdout, /^registry\tdoes not say\t.*127\.0\.0\.1:1/m)
        const json = yield* run(["whoami", "127.0.0.1:1", "--json"])
        assert.deepStrictEqual(Object.keys(JSON.parse(json.stdout).check), ["why"])
      })
    )

    it.effect("exits with 5 if the registry refuses the login", () =>
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const { run } = yield* user({ auths: { [loginServer]: { auth: btoa("contoso:old") } } })
        const { code, stdout } = yield* run(["whoami", "$REGISTRY", "-vv"])
        assert.strictEqual(code, 5)
        assert.match(stdout, /^docker\tused\tcontoso, /)
        assert.match(stdout, /^registry\tdoes not accept it\t/m)
      })
    )
  })

  it.effect("show no signature of a link to the storage with -v", () =>
    Effect.gen(function* () {
      const { journal } = yield* AcrEmulator.AcrEmulator
      const { run } = yield* user()
      yield* run(logIn, { stdin: password })
      const { code, stderr } = yield* run(["validate", "$REGISTRY/shop/api:v1", "-v"])
      assert.strictEqual(code, 0, stderr)
      const links = (yield* journal).filter(({ query }) => query.includes("sig="))
      assert.isAbove(links.length, 0)
      assert.notInclude(stderr, "sig=")
      for (const { path } of links) assert.include(stderr, path)
    })
  )

  it.effect("show no login that a server sends back, also with -vv", () =>
    Effect.gen(function* () {
      const registry = yield* serving(({ headers }, response) => {
        const { authorization } = headers
        const challenge = authorization === undefined ? "Basic" : `Basic realm="${authorization}"`
        response.writeHead(authorization === undefined ? 401 : 403, {
          "www-authenticate": challenge,
          server: Buffer.from((authorization ?? "").split(" ")[1] ?? "", "base64").toString()
        })
        response.end()
      })
      const auth = btoa("bob:S3cretpw")
      const { run } = yield* user({ auths: { [registry]: { auth } } })
      const { stderr } = yield* run(["raw", `${registry}/shop/api:v1`, "-vv"])
      assert.include(stderr, "< www-authenticate: <not shown>")
      assert.include(stderr, "< www-authenticate: Basic\n")
      for (const secret of [auth, "S3cretpw"]) assert.notInclude(stderr, secret)
    })
  )

  it.effect("show no secret in any output, also with -vv", () =>
    Effect.gen(function* () {
      const { run } = yield* user()
      const secrets = [password.trim(), btoa(`contoso:${password}`), encodeURIComponent(password)]
      for (const args of [logIn, ["whoami", "$REGISTRY"], ["ls", "$REGISTRY"], ["logout", "$REGISTRY"]]) {
        const { stderr, stdout } = yield* run([...args, "-vv"], { stdin: password })
        assert.include(stderr + stdout, args[0] === "logout" ? "erased" : "authorization: <not shown>")
        for (const secret of secrets) assert.notInclude(stderr + stdout, secret)
        // The head of each JSON Web Token.
        assert.notMatch(stderr + stdout, /eyJ/)
      }
    })
  )
})
