/**
 * Logins that container tools keep: which of them is found, and what comes of credential helpers of every kind.
 */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { inspect } from "node:util"
import * as Credentials from "@effect-acr/client/Credentials"
import type { CredentialUnavailable } from "@effect-acr/client/RegistryError"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { TestClock } from "effect/testing"
import * as DockerConfig from "../src/DockerConfig.ts"

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "docker-config-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

const write = (path: string, content: unknown) =>
  Effect.promise(async () => {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, typeof content === "string" ? content : JSON.stringify(content))
  })

/** A file with this in it. */
const file = (content: unknown) =>
  Effect.gen(function* () {
    const path = join(yield* folder, "config.json")
    yield* write(path, content)
    return path
  })

const registry = "myregistry.azurecr.io"

const get = (layer: typeof DockerConfig.layer, loginServer = registry, repository?: string) =>
  Credentials.Credentials.use((credentials) =>
    credentials.get({
      endpoint: `https://${loginServer}`,
      loginServer,
      ...(repository === undefined ? {} : { repository })
    })
  ).pipe(Effect.provide(Layer.orDie(layer)))

/** The login for a registry, in a line. */
const shown = (effect: ReturnType<typeof get>) =>
  Effect.match(effect, {
    onFailure: ({ problem }) => problem,
    onSuccess: (credential) => {
      switch (credential._tag) {
        case "Password":
          return `${credential.username}:${Redacted.value(credential.password)}`
        case "Anonymous":
          return "nobody"
        default:
          return `${credential._tag} ${Redacted.value(credential.token)}`
      }
    }
  })

const inFile = (content: unknown, loginServer = registry, repository?: string) =>
  Effect.flatMap(file(content), (path) => shown(get(DockerConfig.layerOptions({ path }), loginServer, repository)))

const perRegistry = (content: unknown) =>
  Effect.flatMap(file(content), (path) =>
    Credentials.Credentials.use(({ perRegistry }) => Effect.succeed(perRegistry)).pipe(
      Effect.provide(Layer.orDie(DockerConfig.layerOptions({ path })))
    )
  )

const auth = (login: string) => ({ auth: btoa(login) })

describe("a file", () => {
  const logins: ReadonlyArray<readonly [string, unknown, string]> = [
    ["auth", auth("contoso:word"), "contoso:word"],
    ["auth with a password that has colons", auth("contoso:a:b:"), "contoso:a:b:"],
    ["auth that ends as a text of C", auth("contoso:word\0"), "contoso:word"],
    ["a user name and a password", { username: "contoso", password: "word" }, "contoso:word"],
    [
      "an identity token",
      { ...auth("00000000-0000-0000-0000-000000000000:"), identitytoken: "token" },
      "RefreshToken token"
    ],
    ["a registry token", { registrytoken: "token" }, "AccessToken token"],
    [
      "the user name of tokens",
      auth("00000000-0000-0000-0000-000000000000:token"),
      "00000000-0000-0000-0000-000000000000:token"
    ],
    ["nothing", {}, "NotConfigured"],
    ["null", null, "NotConfigured"],
    ["an empty auth", { auth: "" }, "NotConfigured"],
    [
      "what Go writes for nothing",
      { auth: "", username: "", password: "", identitytoken: "", registrytoken: null },
      "NotConfigured"
    ],
    ["an auth and nothing else that is set", { ...auth("contoso:word"), identitytoken: "" }, "contoso:word"],
    ["an auth that is not base64", { auth: "%%%" }, "Failed"],
    ["an auth without a colon", { auth: btoa("contoso") }, "Failed"],
    ["a text", "contoso:word", "Failed"],
    ["a number for an auth", { auth: 5 }, "Failed"]
  ]
  for (const [name, entry, expected] of logins) {
    it.effect(`with ${name} is read`, () =>
      Effect.map(inFile({ auths: { [registry]: entry } }), (found) => assert.strictEqual(found, expected))
    )
  }

  it.effect("with auth has the user name before the first colon: a password may hold colons", () =>
    Effect.gen(function* () {
      const path = yield* file({ auths: { [registry]: auth("contoso:a:b:") } })
      const credential = yield* get(DockerConfig.layerOptions({ path }))
      const login = credential._tag === "Password" ? [credential.username, Redacted.value(credential.password)] : []
      assert.deepStrictEqual(login, ["contoso", "a:b:"])
    })
  )

  const keys: ReadonlyArray<readonly [string, string, boolean]> = [
    [registry, registry, true],
    [`https://${registry}`, registry, true],
    [`https://${registry}/`, registry, true],
    [`http://${registry}/v1/`, registry, true],
    [`${registry}/v2/`, registry, true],
    ["MyRegistry.azurecr.io", registry, true],
    [`${registry}:8443`, `${registry}:8443`, true],
    [`${registry}:8443`, registry, false],
    [registry, `${registry}:8443`, false],
    [`${registry}/project`, registry, false],
    [`evil${registry}`, registry, false],
    [`${registry}.evil.example`, registry, false],
    ["azurecr.io", registry, false],
    ["https://index.docker.io/v1/", "docker.io", true],
    ["https://index.docker.io/v1/", "registry-1.docker.io", true],
    ["docker.io", "index.docker.io", true],
    ["index.docker.io.evil.example", "docker.io", false],
    ["*", "localhost:5000", false],
    ["10.0.0.*", "10.0.0.1:5000", false],
    ["registry.*", "registry.example:8080", false],
    ["registry.*:8080", "registry.example:8080", true],
    [`${registry}${"/".repeat(200_000)}`, registry, true]
  ]
  for (const [key, loginServer, found] of keys) {
    it.effect(`with a login for ${key.slice(0, 60)} has ${found ? "one" : "none"} for ${loginServer}`, () =>
      Effect.map(inFile({ auths: { [key]: auth("contoso:word") } }, loginServer), (outcome) =>
        assert.strictEqual(outcome, found ? "contoso:word" : "NotConfigured")
      )
    )
  }

  const team = "registry.example.com/team"
  const paths: ReadonlyArray<readonly [string, ReadonlyArray<string>, string | undefined, string]> = [
    ["a path for a repository in it", [team], "team/app", team],
    ["a path for the repository itself", [`${team}/app`], "team/app", `${team}/app`],
    ["a path with a final slash and a scheme", [`https://${team}/`], "team/app", `https://${team}/`],
    ["a path not for another repository", [team], "other/app", "NotConfigured"],
    ["a path not for a repository that begins alike", [team], "team-two/app", "NotConfigured"],
    ["a path not for the registry as a whole", [team], undefined, "NotConfigured"],
    ["the longest of several paths", ["registry.example.com", `${team}/app`, team], "team/app/web", `${team}/app`],
    ["the registry for other repositories", ["registry.example.com", team], "other/app", "registry.example.com"],
    ["a pattern for hosts", ["*.example.com"], "team/app", "*.example.com"],
    ["a pattern for hosts, with a path", ["*.example.com/team"], "team/app", "*.example.com/team"],
    ["a pattern inside a label", ["reg*y.example.com"], "team/app", "reg*y.example.com"],
    ["a pattern for one label, not for several", ["*.com"], "team/app", "NotConfigured"],
    ["a pattern for other hosts", ["*.example.org"], "team/app", "NotConfigured"],
    ["a pattern for another port", ["*.example.com:5000"], "team/app", "NotConfigured"],
    ["a pattern that is longer than the host", ["registry.example.comm*"], "team/app", "NotConfigured"],
    ["a pattern whose parts overlap", ["registry*stry.example.com"], "team/app", "NotConfigured"],
    ["a host rather than a pattern", ["*.example.com/team", "registry.example.com"], "team/app", "registry.example.com"]
  ]
  for (const [name, keys, repository, expected] of paths) {
    it.effect(`has a login for ${name}`, () =>
      Effect.gen(function* () {
        const auths = Object.fromEntries(keys.map((key) => [key, auth(`${key.replace(":", "%")}:word`)]))
        const found = yield* inFile({ auths }, "registry.example.com", repository)
        assert.strictEqual(found.replace(":word", "").replace("%", ":"), expected)
      })
    )
  }

  it.effect("has the login of Docker Hub for a part of it", () =>
    Effect.gen(function* () {
      const auths = { "docker.io/contoso": auth("part:word"), "https://index.docker.io/v1/": auth("hub:word") }
      assert.strictEqual(yield* inFile({ auths }, "registry-1.docker.io", "contoso/app"), "part:word")
      assert.strictEqual(yield* inFile({ auths }, "docker.io", "library/alpine"), "hub:word")
    })
  )

  it.effect("has one login for all repositories, unless it has one for a part of a registry", () =>
    Effect.gen(function* () {
      assert.isTrue(yield* perRegistry({ auths: { [registry]: auth("contoso:word") }, credsStore: "test" }))
      assert.isTrue(yield* perRegistry({ auths: { "https://index.docker.io/v1/": auth("contoso:word") } }))
      assert.isTrue(yield* perRegistry("no JSON"))
      assert.isFalse(yield* perRegistry({ auths: { [team]: auth("contoso:word") } }))
    })
  )

  it.effect("loses only an invalid entry", () =>
    Effect.gen(function* () {
      const odd = { "a.example": "text", "b.example": { auth: [1] }, "c.example": 5, "d.example": [] }
      const auths = { ...odd, [registry]: auth("contoso:word") }
      assert.strictEqual(yield* inFile({ auths }), "contoso:word")
      assert.strictEqual(yield* inFile({ auths, credHelpers: { [registry]: 5, "a.example": null } }), "contoso:word")
      assert.strictEqual(yield* inFile({ auths, credHelpers: "text", credsStore: 5 }), "contoso:word")
      assert.strictEqual(yield* inFile({ auths, credHelpers: null, credsStore: null }), "contoso:word")
      assert.strictEqual(yield* inFile({ auths: "text" }), "NotConfigured")
      // Of two names of a registry, one.
      assert.strictEqual(yield* inFile({ auths: { ...auths, [`https://${registry}`]: "text" } }), "contoso:word")
      assert.strictEqual(yield* inFile({ auths: { [`https://${registry}`]: "text", ...auths } }), "contoso:word")
    })
  )

  it.effect("without auths holds logins itself", () =>
    Effect.gen(function* () {
      const old = { [`https://${registry}`]: { ...auth("contoso:word"), email: "a@contoso.com" } }
      assert.strictEqual(yield* inFile(old), "contoso:word")
      assert.strictEqual(yield* inFile({ HttpHeaders: { "User-Agent": "x" }, credsStore: "" }), "NotConfigured")
      // One that has some is none of the old.
      assert.strictEqual(yield* inFile({ ...old, auths: {} }), "NotConfigured")
    })
  )

  it.effect("with two names for a registry has the login of the very name", () =>
    Effect.map(
      inFile({ auths: { [`https://${registry}`]: auth("old:word"), [registry]: auth("contoso:word") } }),
      (found) => assert.strictEqual(found, "contoso:word")
    )
  )

  const unreadable: ReadonlyArray<readonly [string, unknown]> = [
    ["no JSON", `{"auths": {"${registry}": {"auth": "planted-secret`],
    ["an odd entry for the registry", { auths: { [registry]: "planted-secret" } }],
    ["a text", '"planted-secret"'],
    ["null", "null"],
    ["a list", ["planted-secret"]],
    ["more than anybody has", `{"auths": {"${"x".repeat(1024 * 1024)}": {}}}`]
  ]
  for (const [name, content] of unreadable) {
    it.effect(`that holds ${name} fails, and is not quoted`, () =>
      Effect.gen(function* () {
        const path = yield* file(content)
        const error = yield* Effect.flip(get(DockerConfig.layerOptions({ path })))
        assert.strictEqual(error.problem, "Failed")
        assert.strictEqual(error.credential, path)
        assert.notInclude(inspect(error, { depth: Infinity }), "planted")
        assert.isBelow(error.message.length, 200)
      })
    )
  }

  it.effect("is read again each time", () =>
    Effect.gen(function* () {
      const path = yield* file({ auths: { [registry]: auth("contoso:old") } })
      yield* Effect.gen(function* () {
        const credentials = yield* Credentials.Credentials
        const request = { endpoint: `https://${registry}`, loginServer: registry }
        assert.strictEqual(yield* shown(credentials.get(request)), "contoso:old")
        yield* write(path, { auths: { [registry]: auth("contoso:new") } })
        assert.strictEqual(yield* shown(credentials.get(request)), "contoso:new")
        yield* Effect.promise(() => rm(path))
        assert.strictEqual(yield* shown(credentials.get(request)), "NotConfigured")
      }).pipe(Effect.provide(DockerConfig.layerOptions({ path })))
    })
  )
})

/** What is found where these files are, and these variables say so; `~` is the home. */
const found = (files: { readonly [path: string]: string }, variables: { readonly [name: string]: string } = {}) =>
  Effect.gen(function* () {
    const home = yield* folder
    const expand = (path: string) => path.replace("~", home)
    yield* Effect.forEach(Object.entries(files), ([path, login]) =>
      write(expand(path), { auths: { [registry]: auth(`${login}:word`) } })
    )
    const env = Object.fromEntries(
      Object.entries({ HOME: "~", ...variables }).map(([name, path]) => [name, expand(path)])
    )
    const layer = DockerConfig.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
    return (yield* shown(get(layer))).replace(":word", "")
  })

describe("of several files", () => {
  const docker = "~/.docker/config.json"
  const podman = "~/.config/containers/auth.json"
  const cases: ReadonlyArray<
    readonly [string, { readonly [path: string]: string }, { readonly [name: string]: string }, string]
  > = [
    ["docker's is found", { [docker]: "docker" }, {}, "docker"],
    ["podman's is found", { [podman]: "podman" }, {}, "podman"],
    ["docker's comes first", { [docker]: "docker", [podman]: "podman" }, {}, "docker"],
    [
      "DOCKER_CONFIG takes the place of docker's own folder",
      { [docker]: "docker", "~/elsewhere/config.json": "elsewhere" },
      { DOCKER_CONFIG: "~/elsewhere" },
      "elsewhere"
    ],
    [
      "docker's own folder is not looked at then",
      { [docker]: "docker" },
      { DOCKER_CONFIG: "~/elsewhere" },
      "NotConfigured"
    ],
    [
      "the folder of a session comes before podman's own",
      { "~/run/containers/auth.json": "session", [podman]: "podman" },
      { XDG_RUNTIME_DIR: "~/run" },
      "session"
    ],
    [
      "XDG_CONFIG_HOME is where podman's own is",
      { "~/xdg/containers/auth.json": "xdg", [podman]: "podman" },
      { XDG_CONFIG_HOME: "~/xdg" },
      "xdg"
    ],
    [
      "REGISTRY_AUTH_FILE takes the place of podman's",
      { "~/auth.json": "named", [podman]: "podman" },
      { REGISTRY_AUTH_FILE: "~/auth.json" },
      "named"
    ],
    ["the old one of docker comes last", { "~/.dockercfg": "old" }, {}, "old"],
    ["those of today come before it", { "~/.dockercfg": "old", [podman]: "podman" }, {}, "podman"],
    [
      "what a variable holds comes before all",
      { [docker]: "docker", [podman]: "podman" },
      { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [registry]: auth("variable:word") } }) },
      "variable"
    ],
    [
      "those that it does not know are looked for in the files",
      { [docker]: "docker" },
      { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { "other.example": auth("variable:word") } }) },
      "docker"
    ],
    ["an empty variable is none", { [docker]: "docker" }, { DOCKER_AUTH_CONFIG: "", DOCKER_CONFIG: "" }, "docker"],
    ["there may be none", {}, {}, "NotConfigured"]
  ]
  for (const [name, files, variables, expected] of cases) {
    it.effect(name, () => Effect.map(found(files, variables), (login) => assert.strictEqual(login, expected)))
  }

  it.effect("none has the login, and all are named", () =>
    Effect.gen(function* () {
      const home = yield* folder
      const env = { HOME: home, XDG_RUNTIME_DIR: join(home, "run") }
      const layer = DockerConfig.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
      const { description } = yield* Effect.flip(get(layer))
      assert.strictEqual(
        description,
        `there is no login for ${registry} in ${home}/.docker/config.json, ${home}/run/containers/auth.json, ${home}/.config/containers/auth.json, ${home}/.dockercfg`
      )
    })
  )

  it.effect("the variable may be invalid, and is not quoted", () =>
    Effect.gen(function* () {
      const env = { HOME: yield* folder, DOCKER_AUTH_CONFIG: '{"auths": {"planted-secret' }
      const layer = DockerConfig.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
      const error = yield* Effect.flip(get(layer))
      assert.strictEqual(error.problem, "Failed")
      assert.strictEqual(error.credential, "DOCKER_AUTH_CONFIG")
      assert.notInclude(inspect(error, { depth: Infinity }), "planted")
    })
  )

  it.effect("one is looked at where the program names it, and nothing else", () =>
    Effect.gen(function* () {
      const env = {
        HOME: yield* folder,
        DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [registry]: auth("variable:word") } })
      }
      const path = yield* file({ auths: {} })
      const layer = DockerConfig.layerOptions({ path }).pipe(
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
      )
      assert.strictEqual(yield* shown(get(layer)), "NotConfigured")
    })
  )
})

/** Puts programs on the path of this process, as long as the scope lasts. */
const onPath = (programs: { readonly [name: string]: string }) =>
  Effect.gen(function* () {
    const bin = yield* folder
    yield* Effect.forEach(Object.entries(programs), ([name, script]) =>
      Effect.promise(async () => {
        await writeFile(join(bin, name), `#!/bin/sh\n${script.replaceAll("$BIN", bin)}\n`)
        await chmod(join(bin, name), 0o755)
      })
    )
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const before = process.env["PATH"]
        process.env["PATH"] = `${bin}:${before}`
        return before
      }),
      (before) =>
        Effect.sync(() => {
          process.env["PATH"] = before
        })
    )
    return bin
  })

const helped = (script: string, options: DockerConfig.Options = {}) =>
  Effect.gen(function* () {
    const bin = yield* onPath({ "docker-credential-test": script })
    const path = yield* file({ credHelpers: { [registry]: "test" } })
    return { bin, get: get(DockerConfig.layerOptions({ path, ...options })) }
  })

const answer = (username: string, secret: string) =>
  `cat > $BIN/asked; echo '${JSON.stringify({ ServerURL: registry, Username: username, Secret: secret })}'`

/** Whether a process is there. */
const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const pidIn = (path: string) =>
  Effect.map(
    Effect.promise(() => readFile(path, "utf8")),
    Number
  )

// The helpers of these tests are scripts of `sh`. credentialHelper.test.ts has one that is an executable.
describe.skipIf(process.platform === "win32")("a credential helper (skipped on Windows)", () => {
  it.live("is asked for the registry, and gives a password", () =>
    Effect.gen(function* () {
      const { bin, get } = yield* helped(`echo "$@" > $BIN/arguments; ${answer("contoso", "word")}`)
      assert.strictEqual(yield* shown(get), "contoso:word")
      assert.strictEqual(yield* Effect.promise(() => readFile(join(bin, "asked"), "utf8")), registry)
      assert.strictEqual(yield* Effect.promise(() => readFile(join(bin, "arguments"), "utf8")), "get\n")
    })
  )

  it.live("gives a refresh token under the user name of those", () =>
    Effect.gen(function* () {
      const { get } = yield* helped(answer("<token>", "refresh"))
      assert.strictEqual(yield* shown(get), "RefreshToken refresh")
    })
  )

  it.live("of the registry comes before that of all, and both before the file itself", () =>
    Effect.gen(function* () {
      yield* onPath({
        "docker-credential-own": answer("own", "word"),
        "docker-credential-all": answer("all", "word"),
        "docker-credential-empty": "echo 'credentials not found in native keychain'; exit 1"
      })
      const auths = { [registry]: auth("file:word") }
      const login = (content: object) => inFile({ auths, ...content })
      assert.strictEqual(yield* login({ credHelpers: { [registry]: "own" }, credsStore: "all" }), "own:word")
      assert.strictEqual(yield* login({ credHelpers: { "other.azurecr.io": "own" }, credsStore: "all" }), "all:word")
      assert.strictEqual(yield* login({ credsStore: "all" }), "all:word")
      assert.strictEqual(yield* login({ credsStore: "" }), "file:word")
      // One that has nothing leaves it to the file.
      assert.strictEqual(yield* login({ credsStore: "empty" }), "file:word")
    })
  )

  it.live("is asked for Docker Hub by the address that docker uses", () =>
    Effect.gen(function* () {
      const bin = yield* onPath({ "docker-credential-test": answer("contoso", "word") })
      const path = yield* file({ credsStore: "test" })
      yield* get(DockerConfig.layerOptions({ path }), "docker.io")
      assert.strictEqual(
        yield* Effect.promise(() => readFile(join(bin, "asked"), "utf8")),
        "https://index.docker.io/v1/"
      )
    })
  )

  const failures: ReadonlyArray<readonly [string, string, CredentialUnavailable["problem"], string]> = [
    [
      "that has nothing",
      "echo 'credentials not found in native keychain'; exit 1",
      "NotConfigured",
      "there is no login"
    ],
    ["that fails", "echo planted-secret; echo planted-secret >&2; exit 3", "Failed", "it ended with exit code 3"],
    ["that prints rubbish", "echo planted-secret", "Failed", "it did not answer with a login"],
    ["that prints nothing", "true", "Failed", "it did not answer with a login"],
    ["that prints another JSON", `echo '{"Secret": "planted-secret"}'`, "Failed", "it did not answer with a login"],
    [
      "that prints without end",
      "while :; do echo planted-secret-planted-secret-planted-secret; done",
      "Failed",
      "it did not answer with a login"
    ],
    ["that is killed", "kill -9 $$", "Failed", ""]
  ]
  for (const [name, script, problem, description] of failures) {
    it.live(`${name} is ${problem}, and not quoted`, () =>
      Effect.gen(function* () {
        const { get } = yield* helped(script)
        const exit = yield* Effect.exit(get)
        const error = yield* Effect.flip(get)
        assert.strictEqual(error.problem, problem)
        assert.include(error.description, description)
        for (const text of [
          inspect(exit, { depth: Infinity, showHidden: true }),
          JSON.stringify(error),
          String(error)
        ]) {
          assert.notInclude(text, "planted")
        }
      })
    )
  }

  it.live("that is not installed hides no login of the file, nor of another", () =>
    Effect.gen(function* () {
      const auths = { [registry]: auth("contoso:word") }
      assert.strictEqual(yield* inFile({ auths, credsStore: "nowhere" }), "contoso:word")
      assert.strictEqual(yield* inFile({ auths, credHelpers: { [registry]: "nowhere" } }), "contoso:word")

      const home = yield* folder
      yield* write(join(home, ".docker/config.json"), { credsStore: "nowhere" })
      yield* write(join(home, ".config/containers/auth.json"), { auths })
      const env = { HOME: home }
      const layer = DockerConfig.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
      assert.strictEqual(yield* shown(get(layer)), "contoso:word")
    })
  )

  it.live("that fails is not passed over: another login would be another user's", () =>
    Effect.gen(function* () {
      yield* onPath({ "docker-credential-locked": "exit 3" })
      assert.strictEqual(yield* inFile({ auths: { [registry]: auth("contoso:word") }, credsStore: "locked" }), "Failed")
    })
  )

  it.live("that is not installed is NotConfigured", () =>
    Effect.gen(function* () {
      const path = yield* file({ credsStore: "nowhere" })
      const error = yield* Effect.flip(get(DockerConfig.layerOptions({ path })))
      assert.strictEqual(error.problem, "NotConfigured")
      assert.strictEqual(error.message, "docker-credential-nowhere: it is not installed")
      assert.strictEqual(error.credential, "docker-credential-nowhere")
    })
  )

  it.live.each(["../../bin/sh", "a b", "a;b", "", "-rf"].filter((name) => name !== ""))(
    "of the name %j is not run",
    (name) =>
      Effect.gen(function* () {
        const path = yield* file({ credsStore: name })
        const error = yield* Effect.flip(get(DockerConfig.layerOptions({ path })))
        assert.strictEqual(error.problem, "Failed")
        assert.include(error.message, "can be no program")
      })
  )

  const hanging: ReadonlyArray<readonly [string, string]> = [
    ["hangs", "echo $$ > $BIN/pid; exec sleep 600"],
    ["does not listen to signals", "trap '' TERM INT HUP; echo $$ > $BIN/pid; while :; do sleep 1; done"],
    ["leaves a program behind that holds its output", "sleep 600 & echo $! > $BIN/pid; exit 0"]
  ]
  for (const [name, script] of hanging) {
    it.live(`that ${name} is TimedOut, and gone`, () =>
      Effect.gen(function* () {
        const { bin, get } = yield* helped(script, { helperTimeout: "1 second" })
        const error = yield* Effect.flip(get)
        assert.strictEqual(error.problem, "TimedOut")
        // Where the machine is so slow that it did not even begin there is none.
        const pid = yield* Effect.option(pidIn(join(bin, "pid")))
        while (Option.isSome(pid) && isRunning(pid.value)) yield* Effect.sleep("10 millis")
      })
    )
  }

  it.effect("that hangs is called again after a minute, and not at each request", () =>
    Effect.gen(function* () {
      const script = 'echo "$1" >> $BIN/calls; exec sleep 600'
      const bin = yield* onPath({ "docker-credential-test": script })
      const path = yield* file({ credsStore: "test" })
      const credentials = yield* Effect.map(
        Layer.build(DockerConfig.layerOptions({ path })),
        Context.get(Credentials.Credentials)
      )
      const timedOut = (loginServer: string) =>
        Effect.map(Effect.flip(credentials.get({ endpoint: `https://${loginServer}`, loginServer })), ({ problem }) =>
          assert.strictEqual(problem, "TimedOut")
        )
      const calls = Effect.promise(() =>
        readFile(join(bin, "calls"), "utf8").then(
          (text) => text.trim().split("\n").length,
          () => 0
        )
      )
      const called = (count: number) =>
        Effect.gen(function* () {
          while ((yield* calls) < count) yield* Effect.promise(() => setTimeout(10))
        })
      const first = yield* Effect.forkChild(timedOut(registry))
      yield* called(1)
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.join(first)
      yield* timedOut(registry)
      yield* timedOut("other.azurecr.io")
      assert.strictEqual(yield* calls, 1)
      yield* TestClock.adjust("1 minute")
      const second = yield* Effect.forkChild(timedOut(registry))
      yield* called(2)
      yield* Fiber.interrupt(second)
    })
  )

  it.live("ends when its caller no longer waits", () =>
    Effect.gen(function* () {
      const { bin, get } = yield* helped("echo $$ > $BIN/pid.new; mv $BIN/pid.new $BIN/pid; exec sleep 600")
      const fiber = yield* Effect.forkChild(get)
      const started = Effect.promise(() =>
        readFile(join(bin, "pid")).then(
          () => true,
          () => false
        )
      )
      while (!(yield* started)) yield* Effect.sleep("10 millis")
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      const pid = yield* pidIn(join(bin, "pid"))
      while (isRunning(pid)) yield* Effect.sleep("10 millis")
    })
  )
})

const registriesWith = (env: Readonly<Record<string, string>>) =>
  DockerConfig.registries.pipe(
    Effect.provide(Layer.merge(NodeServices.layer, ConfigProvider.layer(ConfigProvider.fromUnknown(env))))
  )

describe("the registries that files name", () => {
  it.effect("are those with a login and those of helpers, without patterns and paths", () =>
    Effect.gen(function* () {
      const home = yield* folder
      yield* write(join(home, ".docker/config.json"), {
        auths: {
          "myregistry.azurecr.io": {},
          "https://index.docker.io/v1/": auth("a:b"),
          "quay.io/team": auth("a:b"),
          "*.example.com": auth("a:b")
        },
        credHelpers: { "helped.azurecr.io": "none", "myregistry.azurecr.io": "none" }
      })
      const names = yield* registriesWith({ HOME: home, DOCKER_AUTH_CONFIG: '{"auths":{"localhost:5000":{}}}' })
      assert.deepStrictEqual(names, [
        "docker.io",
        "helped.azurecr.io",
        "localhost:5000",
        "myregistry.azurecr.io",
        "quay.io"
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("are none without files, and none of a broken one", () =>
    Effect.gen(function* () {
      const home = yield* folder
      assert.deepStrictEqual(yield* registriesWith({ HOME: home }), [])
      assert.deepStrictEqual(yield* registriesWith({ HOME: home, DOCKER_AUTH_CONFIG: "{" }), [])
    }).pipe(Effect.scoped)
  )
})
