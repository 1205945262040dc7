/**
 * Logins that are stored and erased where `docker login` does it.
 */
import { execFileSync } from "node:child_process"
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setImmediate } from "node:timers/promises"
import * as Credentials from "@effect-acr/client/Credentials"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as DockerConfig from "../src/DockerConfig.ts"

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "stored-logins-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

const registry = "myregistry.azurecr.io"

const password: Credentials.Password = { _tag: "Password", username: "contoso", password: Redacted.make("wo:rd") }
const token: Credentials.RefreshToken = { _tag: "RefreshToken", token: Redacted.make("token of the registry") }

/** Where the file is, and its content. */
const withFile = Effect.fnUntraced(function* (content?: string) {
  const path = join(yield* folder, "config.json")
  if (content !== undefined) yield* Effect.promise(() => writeFile(path, content))
  return {
    path,
    text: Effect.promise(() => readFile(path, "utf8")),
    json: Effect.map(
      Effect.promise(() => readFile(path, "utf8")),
      (text): unknown => JSON.parse(text)
    )
  }
})

const store = (path: string, login: Parameters<typeof DockerConfig.store>[1], loginServer = registry) =>
  Effect.provide(DockerConfig.store(loginServer, login, { path }), NodeServices.layer)

const erase = (path: string, loginServer = registry) =>
  Effect.provide(DockerConfig.erase(loginServer, { path }), NodeServices.layer)

/** The login that the library finds. */
const found = (path: string, loginServer = registry) =>
  Credentials.Credentials.use((credentials) =>
    credentials.get({ endpoint: `https://${loginServer}`, loginServer })
  ).pipe(Effect.provide(DockerConfig.layerOptions({ path })))

/** A credential helper that keeps logins in files of a folder, as `docker-credential-pass` does for its own. */
const helper = Effect.fnUntraced(function* (name: string, body?: string) {
  const kept = yield* folder
  const program = join(kept, `docker-credential-${name}`)
  const standard = [
    `input=$(cat)`,
    `case $1 in`,
    `store) printf %s "$input" > ${kept}/login ;;`,
    `get) test -e ${kept}/login && cat ${kept}/login || { echo "credentials not found in native keychain"; exit 1; } ;;`,
    `erase) printf %s "$input" > ${kept}/erased; test -e ${kept}/login || { echo "credentials not found in native keychain"; exit 1; }; rm ${kept}/login ;;`,
    `esac`
  ].join("\n")
  yield* Effect.promise(async () => {
    await writeFile(program, `#!/bin/sh\n${body ?? standard}\n`)
    await chmod(program, 0o755)
  })
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const before = process.env["PATH"]
      process.env["PATH"] = `${kept}:${before ?? ""}`
      return before
    }),
    (before) => Effect.sync(() => (process.env["PATH"] = before))
  )
  return { login: Effect.promise(() => readFile(join(kept, "login"), "utf8")) }
})

const inEnvironment = (env: { readonly [name: string]: string }) =>
  DockerConfig.store(registry, password).pipe(
    Effect.provide(Layer.merge(NodeServices.layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
  )

/** Its files have no modes, it has no pipes among them, and the helpers of these tests are scripts of `sh`. */
const isWindows = process.platform === "win32"

describe("a login that is stored in the file", () => {
  it.effect.skipIf(isWindows)("makes the file and its folder, which only the user can read", () =>
    Effect.gen(function* () {
      const own = join(yield* folder, "new", ".docker")
      const path = join(own, "config.json")
      assert.deepStrictEqual(yield* store(path, password), { place: path, isByHelper: false })
      const { mode } = yield* Effect.promise(() => stat(path))
      assert.strictEqual(mode & 0o777, 0o600)
      assert.strictEqual((yield* Effect.promise(() => stat(own))).mode & 0o777, 0o700)
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(own)), ["config.json"])
    })
  )

  it.effect("is written as docker writes it, and everything else is kept in its order", () =>
    Effect.gen(function* () {
      const before = {
        psFormat: "table {{.ID}}",
        auths: {
          "ghcr.io": { auth: "Zm9vOmJhcg==", email: "odd@example.com" },
          [registry]: { auth: "b2xkOm9sZA==" },
          last: {}
        },
        HttpHeaders: { "X-Meta": ["a", 1, null] },
        currentContext: "contoso"
      }
      const { path, text } = yield* withFile(JSON.stringify(before, null, "\t"))
      yield* store(path, password)
      const after = { ...before, auths: { ...before.auths, [registry]: { auth: btoa("contoso:wo:rd") } } }
      assert.strictEqual(yield* text, JSON.stringify(after, null, "\t"))
      assert.deepInclude(yield* found(path), { _tag: "Password", username: "contoso", source: path })
    })
  )

  it.effect("goes into identitytoken if it is a token", () =>
    Effect.gen(function* () {
      const { json, path } = yield* withFile()
      yield* store(path, token)
      assert.deepStrictEqual(yield* json, {
        auths: {
          [registry]: {
            auth: btoa("00000000-0000-0000-0000-000000000000:"),
            identitytoken: "token of the registry"
          }
        }
      })
      const credential = yield* found(path)
      assert.strictEqual(credential._tag, "RefreshToken")
    })
  )

  it.effect("takes the place of the same registry in other spellings, and leaves its parts", () =>
    Effect.gen(function* () {
      const auth = { auth: btoa("old:old") }
      const auths = { "https://MyRegistry.azurecr.io/v2/": auth, [`${registry}/team`]: auth, "*.azurecr.io": auth }
      const { json, path } = yield* withFile(JSON.stringify({ auths }))
      yield* store(path, password)
      assert.deepStrictEqual(yield* json, {
        auths: { [`${registry}/team`]: auth, "*.azurecr.io": auth, [registry]: { auth: btoa("contoso:wo:rd") } }
      })
    })
  )

  it.effect("has docker's key for Docker Hub", () =>
    Effect.gen(function* () {
      const { json, path } = yield* withFile()
      yield* store(path, password, "registry-1.docker.io")
      assert.deepStrictEqual(yield* json, { auths: { "https://index.docker.io/v1/": { auth: btoa("contoso:wo:rd") } } })
    })
  )

  it.effect("goes through symbolic links, also to a file that is not there yet", () =>
    Effect.gen(function* () {
      const own = yield* folder
      const [real, link] = [join(own, "real", "config.json"), join(own, "config.json")]
      yield* Effect.promise(async () => {
        await mkdir(join(own, "real"))
        await symlink(join("real", "config.json"), link)
      })
      yield* store(link, password)
      yield* store(link, token, "ghcr.io")
      assert.isTrue((yield* Effect.promise(() => lstat(link))).isSymbolicLink())
      const content = JSON.parse(yield* Effect.promise(() => readFile(real, "utf8")))
      assert.deepStrictEqual(Object.keys(content.auths), [registry, "ghcr.io"])
    })
  )

  const broken: ReadonlyArray<readonly [string, string]> = [
    ["half of JSON", '{"auths": {"ghcr.io": {"auth": "c2VjcmV0"'],
    ["a list", "[]"],
    ["a text", '"c2VjcmV0"']
  ]
  for (const [name, content] of broken) {
    it.effect(`is refused where the file holds ${name}, which stays`, () =>
      Effect.gen(function* () {
        const { path, text } = yield* withFile(content)
        const error = yield* Effect.flip(store(path, password))
        assert.deepInclude(error, { _tag: "LoginStoreError", problem: "InvalidFile", place: path })
        assert.notInclude(String(error), "c2VjcmV0")
        assert.strictEqual(yield* text, content)
        assert.strictEqual((yield* Effect.flip(erase(path)))._tag, "LoginStoreError")
      })
    )
  }

  for (const content of ["", " \n"]) {
    it.effect(`is stored in a file that holds ${JSON.stringify(content)}, as docker does`, () =>
      Effect.gen(function* () {
        const { path } = yield* withFile(content)
        yield* store(path, password)
        assert.deepInclude(yield* found(path), { _tag: "Password", username: "contoso" })
      })
    )
  }

  it.live.skipIf(isWindows)("is refused where a pipe or a device stands in the place of the file", () =>
    Effect.gen(function* () {
      const { path: pipe } = yield* withFile()
      execFileSync("mkfifo", [pipe])
      for (const path of [pipe, "/dev/zero"]) {
        const stored = yield* Effect.flip(Effect.timeout(store(path, password), "10 seconds"))
        assert.deepInclude(stored, { _tag: "LoginStoreError", problem: "FileFailed", description: "it is no file" })
        const got = yield* Effect.flip(Effect.timeout(found(path), "10 seconds"))
        assert.deepInclude(got, { problem: "Failed", description: "it is no file" })
      }
    })
  )

  it.effect("is refused where the file cannot be, with the code of the system", () =>
    Effect.gen(function* () {
      const { path } = yield* withFile("{}")
      const error = yield* Effect.flip(store(join(path, "config.json"), password))
      assert.deepInclude(error, { problem: "FileFailed", code: "ENOTDIR" })
      assert.match(error.message, /: it can't be (?:read|written) \(ENOTDIR\)$/)
    })
  )

  it.effect("is in the folder of DOCKER_CONFIG, or else of the home", () =>
    Effect.gen(function* () {
      const home = yield* folder
      const ofHome = yield* inEnvironment({ HOME: home })
      const ofFolder = yield* inEnvironment({ HOME: home, DOCKER_CONFIG: join(home, "other") })
      assert.deepStrictEqual(
        [ofHome.place, ofFolder.place],
        [join(home, ".docker", "config.json"), join(home, "other", "config.json")]
      )
    })
  )
})

describe("a login that a helper keeps", () => {
  it.live.skipIf(isWindows)("is given to the helper, and the file keeps an empty entry", () =>
    Effect.gen(function* () {
      const { login } = yield* helper("keeping")
      const { json, path } = yield* withFile(
        JSON.stringify({ auths: { [registry]: { auth: btoa("old:old") } }, credsStore: "keeping" })
      )
      const stored = yield* store(path, password)
      assert.deepStrictEqual(stored, { place: "docker-credential-keeping", isByHelper: true })
      assert.deepStrictEqual(JSON.parse(yield* login), { ServerURL: registry, Username: "contoso", Secret: "wo:rd" })
      assert.deepStrictEqual(yield* json, { auths: { [registry]: {} }, credsStore: "keeping" })
      assert.deepInclude(yield* found(path), { username: "contoso", source: "docker-credential-keeping" })
      assert.deepStrictEqual(yield* erase(path), ["docker-credential-keeping"])
      assert.deepStrictEqual(yield* json, { auths: {}, credsStore: "keeping" })
      assert.deepStrictEqual(yield* erase(path), [])
    })
  )

  it.live.skipIf(isWindows)(
    "is that of the registry before that of all, and keeps a token under the name of tokens",
    () =>
      Effect.gen(function* () {
        const { login } = yield* helper("own")
        const { path } = yield* withFile(JSON.stringify({ credsStore: "absent", credHelpers: { [registry]: "own" } }))
        yield* store(path, token)
        assert.deepStrictEqual(JSON.parse(yield* login), {
          ServerURL: registry,
          Username: "<token>",
          Secret: "token of the registry"
        })
      })
  )

  it.effect("is not put into the file if the helper is not installed", () =>
    Effect.gen(function* () {
      const { path, text } = yield* withFile('{"credsStore":"that-is-nowhere"}')
      const error = yield* Effect.flip(store(path, password))
      assert.deepInclude(error, { problem: "HelperMissing", place: "docker-credential-that-is-nowhere" })
      assert.strictEqual(yield* text, '{"credsStore":"that-is-nowhere"}')
    })
  )

  it.live.skipIf(isWindows)("is not repeated by the error of a helper that fails", () =>
    Effect.gen(function* () {
      yield* helper("failing", "cat; cat >&2; exit 3")
      const { path } = yield* withFile('{"credsStore":"failing"}')
      const error = yield* Effect.flip(store(path, password))
      assert.deepInclude(error, { problem: "HelperFailed" })
      assert.notInclude(String(error), "wo:rd")
    })
  )

  it.live.skipIf(isWindows)("fails in time if the helper does not end", () =>
    Effect.gen(function* () {
      yield* helper("hanging", "exec sleep 60")
      const { path } = yield* withFile('{"credsStore":"hanging"}')
      const error = yield* DockerConfig.store(registry, password, { path, helperTimeout: "200 millis" }).pipe(
        Effect.provide(NodeServices.layer),
        Effect.flip
      )
      assert.deepInclude(error, { problem: "TimedOut" })
    })
  )
})

/** The body of a helper that changes the file. */
const rewriting = (content: string) => `cat > /dev/null\ncat > "$CONFIG" <<'END'\n${content}\nEND`

const withConfig = <A, E, R>(path: string, effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => (process.env["CONFIG"] = path)),
    () => effect,
    () => Effect.sync(() => delete process.env["CONFIG"])
  )

describe("a file that other programs change, too", () => {
  /** What is not about logins, as other tools write it: a parser would round the number and drop the first of two members. */
  const odd = '{\n  "id": 9007199254740993,\n  "same": 1e400,\n  "same": "\\u0061",\n  "plugins": {"x": {"n": 1.0}}'

  it.live.skipIf(isWindows)("keeps what was changed while the helper ran", () =>
    Effect.gen(function* () {
      const changed = '{"credsStore":"slow","auths":{"ghcr.io":{}},"currentContext":"new"}'
      yield* helper("slow", rewriting(changed))
      const { json, path } = yield* withFile('{"credsStore":"slow","currentContext":"old"}')
      yield* withConfig(path, store(path, password))
      const kept = { credsStore: "slow", currentContext: "new" }
      assert.deepStrictEqual(yield* json, { ...kept, auths: { "ghcr.io": {}, [registry]: {} } })
      yield* withConfig(path, erase(path))
      assert.deepStrictEqual(yield* json, { ...kept, auths: { "ghcr.io": {} } })
    })
  )

  it.live.skipIf(isWindows)("is not created again if it was removed while the helper ran", () =>
    Effect.gen(function* () {
      yield* helper("removing", `cat > /dev/null; rm -f "$CONFIG"`)
      const { path } = yield* withFile(`{"credsStore":"removing","auths":{"${registry}":{}}}`)
      yield* withConfig(path, erase(path))
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(join(path, ".."))), [])
    })
  )

  it.effect("keeps what was changed right before it is replaced, and gives up if that does not end", () =>
    Effect.gen(function* () {
      const { json, path } = yield* withFile("{}")
      const files = yield* FileSystem.FileSystem
      let changes = 0
      const storeWhile = (most: number) =>
        DockerConfig.store(registry, password, { path }).pipe(
          Effect.provideService(FileSystem.FileSystem, {
            ...files,
            writeFileString: (at, text, options) =>
              Effect.gen(function* () {
                yield* files.writeFileString(at, text, options)
                changes++
                if (changes <= most) yield* files.writeFileString(path, JSON.stringify({ changes }))
              })
          })
        )
      yield* storeWhile(3)
      assert.deepStrictEqual(yield* json, { changes: 3, auths: { [registry]: { auth: btoa("contoso:wo:rd") } } })
      const error = yield* Effect.flip(storeWhile(Infinity))
      assert.deepInclude(error, { _tag: "LoginStoreError", problem: "FileFailed", place: path })
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("keeps the logins of all that store one at the same time", () =>
    Effect.gen(function* () {
      const { path } = yield* withFile()
      const names = Array.from({ length: 30 }, (_, index) => `registry${index}.example`)
      yield* Effect.forEach(names, (name) => DockerConfig.store(name, password, { path }), {
        concurrency: "unbounded",
        discard: true
      })
      const kept = yield* Effect.provideService(
        DockerConfig.registries,
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromUnknown({ DOCKER_CONFIG: dirname(path), HOME: dirname(path) })
      )
      assert.deepStrictEqual(kept, names.toSorted())
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(dirname(path))), ["config.json"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("is changed although a process was killed while it changed the file", () =>
    Effect.gen(function* () {
      const { path } = yield* withFile("{}")
      yield* Effect.promise(() => mkdir(join(dirname(path), ".config.json.lock")))
      const storing = yield* Effect.forkChild(store(path, password))
      while (storing.pollUnsafe() === undefined) {
        yield* TestClock.adjust("1 second")
        yield* Effect.promise(() => setImmediate())
      }
      yield* Fiber.join(storing)
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(dirname(path))), ["config.json"])
    })
  )

  it.effect("keeps every character that is not about the login", () =>
    Effect.gen(function* () {
      const { path, text } = yield* withFile(`${odd},\n  "auths": {"ghcr.io":{"auth":"Zm9vOmJhcg=="} }\n}\n`)
      yield* store(path, password)
      const added = `,"${registry}":{"auth":"${btoa("contoso:wo:rd")}"}`
      assert.strictEqual(yield* text, `${odd},\n  "auths": {"ghcr.io":{"auth":"Zm9vOmJhcg=="}${added} }\n}\n`)
      yield* erase(path)
      assert.strictEqual(yield* text, `${odd},\n  "auths": {"ghcr.io":{"auth":"Zm9vOmJhcg=="} }\n}\n`)
      yield* erase(path, "ghcr.io")
      assert.strictEqual(yield* text, `${odd},\n  "auths": {}\n}\n`)
    })
  )

  it.effect("gets its first login at its end, in its own format", () =>
    Effect.gen(function* () {
      const { path, text } = yield* withFile(`${odd}\n}`)
      yield* store(path, password)
      const entry = `{\n  \t"${registry}": {\n  \t\t"auth": "${btoa("contoso:wo:rd")}"\n  \t}\n  }`
      assert.strictEqual((yield* text).replace(/\s/g, ""), `${odd},"auths":${entry}}`.replace(/\s/g, ""))
      assert.isTrue((yield* text).startsWith(`${odd},\n  "auths": {`))
      const bare = yield* withFile('{"auths":null,"a":"}],{"}')
      yield* store(bare.path, password)
      assert.deepStrictEqual(yield* bare.json, { auths: { [registry]: { auth: btoa("contoso:wo:rd") } }, a: "}],{" })
    })
  )

  it.effect.skipIf(isWindows)("keeps its mode", () =>
    Effect.gen(function* () {
      const { path } = yield* withFile("{}")
      yield* Effect.promise(() => chmod(path, 0o640))
      yield* store(path, password)
      assert.strictEqual((yield* Effect.promise(() => stat(path))).mode & 0o777, 0o640)
    })
  )

  it.effect("is a failure if it, or its folder, cannot be read or written", () =>
    Effect.gen(function* () {
      const own = yield* folder
      yield* Effect.promise(() => writeFile(join(own, "file"), ""))
      for (const path of [own, join(own, "file", "config.json")]) {
        const error = yield* Effect.flip(store(path, password))
        assert.deepInclude(error, { problem: "FileFailed", place: path })
      }
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(own)), ["file"])
    })
  )

  it.effect("is that of the process's home if HOME is not there", () =>
    Effect.gen(function* () {
      const home = yield* folder
      yield* Effect.acquireUseRelease(
        Effect.sync(() => {
          const before = process.env["HOME"]
          process.env["HOME"] = home
          return before
        }),
        () => inEnvironment({}),
        (before) =>
          Effect.sync(() => {
            if (before === undefined) delete process.env["HOME"]
            else process.env["HOME"] = before
          })
      )
      assert.include(yield* Effect.promise(() => readFile(join(home, ".docker", "config.json"), "utf8")), registry)
    })
  )
})

describe("a login that is erased", () => {
  it.effect("is gone in each spelling, and all else stays", () =>
    Effect.gen(function* () {
      const auth = { auth: btoa("old:old") }
      const { json, path } = yield* withFile(
        JSON.stringify({
          auths: { [registry]: auth, [`https://${registry}`]: auth, [`${registry}/team`]: auth },
          detachKeys: "x"
        })
      )
      assert.deepStrictEqual(yield* erase(path), [path])
      assert.deepStrictEqual(yield* json, { auths: { [`${registry}/team`]: auth }, detachKeys: "x" })
    })
  )

  it.effect("may be none: then nothing is written", () =>
    Effect.gen(function* () {
      const { path } = yield* withFile()
      assert.deepStrictEqual(yield* erase(path), [])
      const error = yield* Effect.flip(Effect.tryPromise(() => stat(path)))
      assert.strictEqual(error._tag, "UnknownError")
    })
  )
})
