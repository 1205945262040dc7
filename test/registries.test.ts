/**
 * Two registries that references name, over sockets: which login reaches which, and the program of the README.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Credentials, Registries, type RegistryError } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { DockerConfig, NodeRegistryHttpClient } from "@effect-acr/node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { run, temporaryFolder } from "./support/command.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

const loginOf = (name: string): AcrEmulator.Login => ({
  username: "admin",
  password: Redacted.make(`only for the ${name} registry`)
})

/** Two registries, each with a login of its own and the same image. */
const pair = (options: AcrEmulator.Options = {}) =>
  Effect.forEach(["first", "second"], (name) =>
    Effect.gen(function* () {
      const login = loginOf(name)
      const emulator = yield* AcrEmulator.make({ adminUser: login, ...options })
      yield* emulator.seed({
        repository: "samples/hello",
        tags: ["1.0"],
        platforms: ["linux/amd64", "linux/arm64"],
        layers: [`the ${name} one`]
      })
      return { ...emulator, login, reference: `${emulator.loginServer}/samples/hello:1.0` }
    })
  )

type Pair = Effect.Success<ReturnType<typeof pair>>

/** The registries of a pair, which speak http. */
const live = <E>(registries: Pair, credentials: Layer.Layer<Credentials.Credentials, E>) =>
  Registries.layerOptions({
    registries: Object.fromEntries(registries.map(({ endpoint, loginServer }) => [loginServer, { endpoint }]))
  }).pipe(Layer.provide([credentials, NodeRegistryHttpClient.layer]))

const resolve = (reference: string) =>
  Effect.flatMap(Registries.open(reference), ({ content, repository, tagOrDigest }) =>
    content.resolve(repository, tagOrDigest)
  )

/** How each request to a registry was authorized. */
const authorizations = ({ journal }: AcrEmulator.Service) =>
  Effect.map(journal, (entries) => entries.map(({ authorization }) => authorization))

/** A configuration of docker with the logins of both. */
const dockerConfig = (registries: Pair) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const auths = Object.fromEntries(
      registries.map(({ login, loginServer }) => [
        loginServer,
        { auth: btoa(`${login.username}:${Redacted.value(login.password)}`) }
      ])
    )
    yield* Effect.promise(() => writeFile(join(folder, "config.json"), JSON.stringify({ auths })))
    return folder
  })

const reasonOf = (result: Result.Result<unknown, RegistryError.RegistryError>) =>
  Result.isFailure(result) ? result.failure.reason._tag : "none"

describe("two registries", () => {
  it.live("each get their own login of docker", () =>
    Effect.gen(function* () {
      const registries = yield* pair()
      const path = join(yield* dockerConfig(registries), "config.json")
      yield* Effect.forEach(registries, ({ reference }) => resolve(reference)).pipe(
        Effect.provide(live(registries, DockerConfig.layerOptions({ path })))
      )
      for (const registry of registries) {
        // The other's password would have been refused.
        const statuses = (yield* registry.journal).filter(({ authorization }) => authorization === "basic")
        assert.deepStrictEqual(
          statuses.map(({ status }) => status),
          [200]
        )
      }
    }).pipe(Effect.scoped)
  )

  it.live("never get a password that is for one of them", () =>
    Effect.gen(function* () {
      const registries = yield* pair()
      const [first, second] = registries
      if (first === undefined || second === undefined) return assert.fail("no registries")
      const credentials = Credentials.layerPassword(first.login).pipe(Credentials.onlyFor([first.loginServer]))
      const outcomes = yield* Effect.forEach([first, second], ({ reference }) =>
        Effect.result(resolve(reference))
      ).pipe(Effect.provide(live(registries, credentials)))
      assert.deepStrictEqual(outcomes.map(reasonOf), ["none", "CredentialUnavailable"])
      assert.include(yield* authorizations(first), "basic")
      assert.deepStrictEqual(yield* authorizations(second), ["none"])
    }).pipe(Effect.scoped)
  )

  it.live("never get a password that is for no registry in particular", () =>
    Effect.gen(function* () {
      const registries = yield* pair({ anonymousPull: true })
      const shared = registries.slice(0, 1).map(({ login }) => Credentials.layerPassword(login))
      for (const credentials of shared) {
        const failure = yield* Effect.flip(
          Effect.forEach(registries, ({ reference }) => resolve(reference)).pipe(
            Effect.provide(live(registries, credentials))
          )
        )
        assert.strictEqual(failure.reason._tag, "InvalidRequest")
      }
      for (const registry of registries) assert.deepStrictEqual(yield* authorizations(registry), [])
    }).pipe(Effect.scoped)
  )
})

/** The program of the README that inspects images. */
const program = Effect.map(
  Effect.promise(() => readFile(join(root, "README.md"), "utf8")),
  (readme) =>
    Array.from(readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, code = ""]) => code).filter((code) =>
      code.includes("Registries.image")
    )
)

describe("the README's program for several registries", () => {
  it.live("prints the labels and the size of an image in each of two registries", () =>
    Effect.gen(function* () {
      const [code = "", ...others] = yield* program
      assert.deepStrictEqual(others, [])
      assert.isAtMost(code.split("\n").filter((line) => line.trim() !== "").length, 10)
      const registries = yield* pair({ https: true })
      const folder = yield* Effect.acquireRelease(
        // Inside this package, so that imports resolve as they do for a user.
        Effect.promise(() => mkdtemp(join(root, "test/.snippets-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true }))
      )
      const authorities = join(folder, "authorities.pem")
      yield* Effect.promise(() => writeFile(join(folder, "inspect.ts"), code))
      yield* Effect.promise(() =>
        writeFile(authorities, registries.map(({ certificate }) => Option.getOrThrow(certificate)).join("\n"))
      )
      const printed = yield* run(
        process.execPath,
        [join(folder, "inspect.ts"), ...registries.map(({ reference }) => reference)],
        {
          env: {
            PATH: process.env["PATH"],
            HOME: folder,
            DOCKER_CONFIG: yield* dockerConfig(registries),
            NODE_EXTRA_CA_CERTS: authorities
          }
        }
      )
      assert.strictEqual(printed, "")
    }).pipe(Effect.scoped)
  )
})
