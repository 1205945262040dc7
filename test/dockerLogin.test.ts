/**
 * Logins that go from tool to tool: what skopeo keeps is used here, and skopeo uses what this library issues.
 */
import { chmod, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { ContainerRegistry } from "@effect-acr/client/ContainerRegistry"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import type * as Credentials from "@effect-acr/client/Credentials"
import { AcrEmulator } from "@effect-acr/emulator"
import * as DockerConfig from "@effect-acr/node/DockerConfig"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { isInstalled, temporaryFolder } from "./support/command.ts"
import { emulated } from "./support/emulator.ts"
import { skopeoFor } from "./support/skopeo.ts"
import { isThere, toolFor } from "./support/tools.ts"

const skopeo = Effect.flatMap(AcrEmulator.AcrEmulator, ({ certificate, loginServer }) =>
  skopeoFor(loginServer, Option.getOrThrow(certificate))
)

const seeded = Effect.gen(function* () {
  const emulator = yield* AcrEmulator.AcrEmulator
  yield* emulator.seed({ repository: "alpine", tags: ["latest"] })
  return emulator
})

/** What a client with these credentials lists. */
const listedBy = (credentials: Layer.Layer<Credentials.Credentials, unknown>) =>
  Effect.flatMap(ContainerRegistry, (registry) =>
    Effect.map(Stream.runCollect(registry.repositories()), (names) => names.map(String))
  ).pipe(Effect.provide(AcrEmulator.layerRegistry({ credentials })))

const inEnvironment = (env: { readonly [name: string]: string }) =>
  DockerConfig.layerOptions().pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))

const Tags = Schema.fromJsonString(Schema.Struct({ Tags: Schema.Array(Schema.String) }))

const teams = ["team-a", "team-b"]

describe("logins for parts of a registry", () => {
  it.live("are used for the repositories of each", () =>
    Effect.gen(function* () {
      const { loginServer, seed } = yield* AcrEmulator.AcrEmulator
      yield* Effect.forEach([...teams, "team-c"], (team) => seed({ repository: `${team}/app`, tags: ["latest"] }))
      const folder = yield* temporaryFolder
      const auths = Object.fromEntries(
        teams.map((team) => [`${loginServer}/${team}`, { auth: btoa(`${team}-pull:only for ${team}`) }])
      )
      yield* Effect.promise(() => writeFile(join(folder, "config.json"), JSON.stringify({ auths })))
      const credentials = inEnvironment({ HOME: folder, DOCKER_CONFIG: folder })
      yield* Effect.gen(function* () {
        const content = yield* RegistryContent
        for (const team of teams) yield* content.resolve(`${team}/app`, "latest")
        const { reason } = yield* Effect.flip(content.resolve("team-c/app", "latest"))
        assert.strictEqual(reason._tag, "CredentialUnavailable")
      }).pipe(Effect.provide(AcrEmulator.layerRegistry({ credentials })))
    }).pipe(
      Effect.provide(
        AcrEmulator.layer({
          scopeMapTokens: teams.map((team) => ({
            username: `${team}-pull`,
            password: Redacted.make(`only for ${team}`),
            scopeMap: [{ repository: `${team}/*`, actions: ["content/read", "metadata/read"] }]
          }))
        })
      )
    )
  )
})

describe.runIf(isInstalled("skopeo"))("a login that skopeo made", () => {
  it.live("is used, from podman's file and from docker's folder", () =>
    Effect.gen(function* () {
      const { logins, loginServer } = yield* seeded
      const { certificates, home, run } = yield* skopeo
      const { password, username } = logins.adminUser
      for (const [file, env] of [
        ["auth.json", { HOME: home, REGISTRY_AUTH_FILE: join(home, "auth.json") }],
        ["config.json", { HOME: join(home, "nowhere"), DOCKER_CONFIG: home }]
      ] as const) {
        yield* run(
          "login",
          "--cert-dir",
          certificates,
          "--authfile",
          join(home, file),
          "-u",
          username,
          "-p",
          Redacted.value(password),
          loginServer
        )
        assert.deepStrictEqual(yield* listedBy(inEnvironment(env)), ["alpine"])
      }
    }).pipe(Effect.provide(emulated({ https: true })))
  )
})

describe.runIf(isInstalled("skopeo"))("a login that is given away", () => {
  it.live("is skopeo's, which reads by it, and then ours again", () =>
    Effect.gen(function* () {
      const { loginServer } = yield* seeded
      const { certificates, home, registry, run } = yield* skopeo
      const { login } = yield* ContainerRegistry
      const given = yield* login
      assert.strictEqual(given.loginServer, loginServer)
      yield* run(
        "login",
        "--cert-dir",
        certificates,
        "-u",
        given.username,
        "-p",
        Redacted.value(given.password),
        given.loginServer
      )
      const printed = yield* run("list-tags", "--cert-dir", certificates, `${registry}/alpine`)
      assert.deepStrictEqual((yield* Schema.decodeEffect(Tags)(printed)).Tags, ["latest"])
      const ours = inEnvironment({ HOME: home, REGISTRY_AUTH_FILE: join(home, "auth.json") })
      assert.deepStrictEqual(yield* listedBy(ours), ["alpine"])
    }).pipe(Effect.provide(emulated({ https: true })))
  )
})

/** A password, and a token of the registry, as they are stored. */
const stored = Effect.gen(function* () {
  const { logins } = yield* AcrEmulator.AcrEmulator
  const { login } = yield* ContainerRegistry
  const { password } = yield* login
  return [
    { _tag: "Password", ...logins.adminUser },
    { _tag: "RefreshToken", token: password }
  ] as const
})

describe("a login that is stored", () => {
  it.live.runIf(isInstalled("skopeo"))("is skopeo's", () =>
    Effect.gen(function* () {
      const { loginServer } = yield* seeded
      const { certificates, home, registry, run } = yield* skopeo
      for (const login of yield* stored) {
        yield* DockerConfig.store(loginServer, login, { path: join(home, "auth.json") })
        const printed = yield* run("list-tags", "--cert-dir", certificates, `${registry}/alpine`)
        assert.deepStrictEqual((yield* Schema.decodeEffect(Tags)(printed)).Tags, ["latest"])
        yield* run("logout", loginServer)
        assert.deepStrictEqual(yield* DockerConfig.erase(loginServer, { path: join(home, "auth.json") }), [])
      }
    }).pipe(Effect.provide([emulated({ https: true }), NodeServices.layer]))
  )

  it.live.runIf(isThere("oras"))("is that of oras", () =>
    Effect.gen(function* () {
      const { certificate, loginServer } = yield* seeded
      const { home, run } = yield* toolFor("oras", {
        loginServer,
        certificate: Option.getOrThrow(certificate),
        login: undefined
      })
      const path = join(home, ".docker", "config.json")
      const list = run("repo", "tags", `${loginServer}/alpine`)
      yield* Effect.flip(list)
      for (const login of yield* stored) {
        yield* DockerConfig.store(loginServer, login, { path })
        assert.strictEqual(yield* list, "latest\n")
        assert.deepStrictEqual(yield* DockerConfig.erase(loginServer, { path }), [path])
        yield* Effect.flip(list)
      }
    }).pipe(Effect.provide([emulated({ https: true }), NodeServices.layer]))
  )
})

describe("a credential helper whose secrets change", () => {
  it.live("is asked anew when the registry refuses one, which is not sent twice", () =>
    Effect.gen(function* () {
      const { clearJournal, journal, logins, loginServer } = yield* seeded
      const bin = yield* temporaryFolder
      const count = join(bin, "count")
      const { password, username } = logins.adminUser
      const answer = (secret: string) => `echo '${JSON.stringify({ Username: username, Secret: secret })}'`
      yield* Effect.promise(async () => {
        const program = join(bin, "docker-credential-rotating")
        await writeFile(
          program,
          `#!/bin/sh\necho asked >> ${count}\nif [ $(wc -l < ${count}) -eq 1 ]; then ${answer("of-yesterday")}; else ${answer(Redacted.value(password))}; fi\n`
        )
        await chmod(program, 0o755)
        await writeFile(join(bin, "config.json"), JSON.stringify({ credHelpers: { [loginServer]: "rotating" } }))
      })
      const path = process.env["PATH"]
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          process.env["PATH"] = `${bin}:${path}`
        }),
        () =>
          Effect.sync(() => {
            process.env["PATH"] = path
          })
      )

      yield* clearJournal
      assert.deepStrictEqual(yield* listedBy(DockerConfig.layerOptions({ path: join(bin, "config.json") })), ["alpine"])
      assert.deepStrictEqual(
        (yield* journal).map(({ path, status }) => `${path} ${status}`),
        ["/acr/v1/_catalog 401", "/oauth2/token 401", "/oauth2/token 200", "/acr/v1/_catalog 200"]
      )
      const asked = yield* Effect.promise(() => readFile(count, "utf8"))
      assert.strictEqual(asked, "asked\nasked\n")
    }).pipe(Effect.provide(emulated()))
  )
})
