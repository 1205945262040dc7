/**
 * What the client asks of a registry, counted by the emulator's journal: how many requests an operation costs, which
 * ones, and what comes of them with every kind of credential.
 */
import * as Credentials from "@effect-acr/client/Credentials"
import { ContainerRegistry } from "@effect-acr/client/ContainerRegistry"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import type { Reason, RegistryError } from "@effect-acr/client/RegistryError"
import * as TokenScope from "@effect-acr/client/TokenScope"
import { Transport } from "@effect-acr/client/Transport"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { emulated, requests, requestsOf } from "./support/emulator.ts"

const read = (repository: string) =>
  Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties(repository))

const seedImages = Effect.fnUntraced(function* (...repositories: ReadonlyArray<string>) {
  const emulator = yield* AcrEmulator.AcrEmulator
  yield* Effect.forEach(repositories, (repository) => emulator.seed({ repository, tags: ["latest"] }))
})

const reasonOf = <A, R>(effect: Effect.Effect<A, RegistryError, R>): Effect.Effect<Reason["_tag"], A, R> =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)

const count = (requests: ReadonlyArray<string>, what: string): number =>
  requests.filter((request) => request.startsWith(what)).length

describe("the cost of tokens", () => {
  it.live("20 cold reads of one repository at once take 24 requests at most", () =>
    Effect.gen(function* () {
      yield* seedImages("alpine")
      const made = yield* requestsOf(
        Effect.gen(function* () {
          const all = yield* Effect.forEach(Array(20).fill("alpine"), read, { concurrency: "unbounded" })
          assert.deepStrictEqual(
            all.map(({ name }) => String(name)),
            Array(20).fill("alpine")
          )
        })
      )
      assert.strictEqual(count(made, "POST /oauth2/exchange 200"), 1)
      assert.strictEqual(count(made, "POST /oauth2/token 200"), 1)
      assert.strictEqual(count(made, "GET /acr/v1/alpine 200"), 20)
      assert.isAtMost(made.length, 24)
    }).pipe(Effect.provide(emulated()))
  )

  it.live("10 cold reads that alternate between two repositories take 14 requests at most", () =>
    Effect.gen(function* () {
      yield* seedImages("alpine", "busybox")
      const made = yield* requestsOf(
        Effect.forEach(
          Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? "alpine" : "busybox")),
          read
        )
      )
      assert.strictEqual(count(made, "GET /acr/v1/alpine 200"), 5)
      assert.strictEqual(count(made, "GET /acr/v1/busybox 200"), 5)
      assert.isAtMost(made.length, 14)
    }).pipe(Effect.provide(emulated()))
  )

  it.live("a warm read is one request", () =>
    Effect.gen(function* () {
      yield* seedImages("alpine")
      yield* read("alpine")
      assert.deepStrictEqual(yield* requestsOf(read("alpine")), ["GET /acr/v1/alpine 200"])
    }).pipe(Effect.provide(emulated()))
  )

  it.live("a warm list of tags is one request, and leaves the token for pulls as it is", () =>
    Effect.gen(function* () {
      yield* seedImages("alpine")
      const content = yield* RegistryContent
      const pull = content.manifest("alpine", "latest")
      const tags = Stream.runDrain(content.tags("alpine"))
      yield* pull
      yield* tags
      assert.deepStrictEqual(yield* requestsOf(tags), ["GET /v2/alpine/tags/list 200"])
      assert.deepStrictEqual(yield* requestsOf(pull), ["GET /v2/alpine/manifests/latest 200"])
    }).pipe(Effect.provide(emulated()))
  )

  it.live("a rejected access token costs one renewal", () =>
    Effect.gen(function* () {
      const { revokeAccessTokens } = yield* AcrEmulator.AcrEmulator
      yield* seedImages("alpine")
      yield* read("alpine")
      yield* revokeAccessTokens
      assert.deepStrictEqual(yield* requestsOf(read("alpine")), [
        "GET /acr/v1/alpine 401",
        "POST /oauth2/token 200",
        "GET /acr/v1/alpine 200"
      ])
      assert.deepStrictEqual(yield* requestsOf(read("alpine")), ["GET /acr/v1/alpine 200"])
    }).pipe(Effect.provide(emulated()))
  )

  it.live("a rejected access token costs one renewal, however many use it", () =>
    Effect.gen(function* () {
      const { revokeAccessTokens } = yield* AcrEmulator.AcrEmulator
      yield* seedImages("alpine")
      yield* read("alpine")
      yield* revokeAccessTokens
      const made = yield* requestsOf(Effect.forEach(Array(10).fill("alpine"), read, { concurrency: "unbounded" }))
      assert.strictEqual(count(made, "POST /oauth2/token"), 1)
      assert.strictEqual(count(made, "GET /acr/v1/alpine 200"), 10)
      assert.strictEqual(count(made, "POST /oauth2/exchange"), 0)
    }).pipe(Effect.provide(emulated()))
  )

  it.live("a refused refresh token is exchanged anew", () =>
    Effect.gen(function* () {
      const { revokeAccessTokens, revokeRefreshTokens } = yield* AcrEmulator.AcrEmulator
      yield* seedImages("alpine")
      yield* read("alpine")
      yield* revokeAccessTokens
      yield* revokeRefreshTokens
      assert.deepStrictEqual(yield* requestsOf(read("alpine")), [
        "GET /acr/v1/alpine 401",
        "POST /oauth2/token 401",
        "POST /oauth2/exchange 200",
        "POST /oauth2/token 200",
        "GET /acr/v1/alpine 200"
      ])
    }).pipe(Effect.provide(emulated()))
  )
})

describe("an Entra credential", () => {
  const entraToken = Redacted.make("the-entra-token")

  it.live("that fails, fails the requests that wait for it, and is asked again by the next one", () => {
    const asked = Ref.makeUnsafe(0)
    let outcome: Effect.Effect<Redacted.Redacted<string>, Error> = Effect.succeed(entraToken)
    const token = Effect.andThen(
      Ref.update(asked, (times) => times + 1),
      Effect.suspend(() => outcome)
    )
    const cause = new Error("run az login")
    return Effect.gen(function* () {
      yield* seedImages("alpine")

      outcome = Effect.fail(cause)
      const made = yield* requestsOf(
        Effect.gen(function* () {
          const errors = yield* Effect.forEach(Array(5).fill("alpine"), (repository) => Effect.flip(read(repository)), {
            concurrency: "unbounded"
          })
          for (const { reason } of errors) {
            assert.strictEqual(reason._tag, "CredentialUnavailable")
            if (reason._tag === "CredentialUnavailable") assert.strictEqual(reason.cause, cause)
          }
        })
      )
      assert.strictEqual(count(made, "POST /oauth2/"), 0)
      const before = yield* Ref.get(asked)
      assert.isAtLeast(before, 1)

      outcome = Effect.succeed(entraToken)
      assert.strictEqual((yield* read("alpine")).name, "alpine")
      assert.strictEqual(yield* Ref.get(asked), before + 1)

      yield* read("alpine")
      assert.strictEqual(yield* Ref.get(asked), before + 1)
    }).pipe(
      Effect.provide(
        emulated({ entraToken }, { credentials: Credentials.layerEntra(token, { loginServers: ["127.0.0.1"] }) })
      )
    )
  })

  it.live("that the registry does not know is Unauthenticated", () =>
    Effect.gen(function* () {
      yield* seedImages("alpine")
      const made = yield* requestsOf(
        Effect.gen(function* () {
          assert.strictEqual(yield* reasonOf(read("alpine")), "Unauthenticated")
        })
      )
      assert.deepStrictEqual(made, ["GET /acr/v1/alpine 401", "POST /oauth2/exchange 401"])
    }).pipe(
      Effect.provide(
        emulated(
          { entraToken },
          {
            credentials: Credentials.layerEntra(Effect.succeed(Redacted.make("somebody-else's")), {
              loginServers: ["127.0.0.1"]
            })
          }
        )
      )
    )
  )
})

describe("a password", () => {
  const adminUser = { username: "contoso", password: Redacted.make("a-password") }
  const scopeMapToken = {
    username: "reader",
    password: Redacted.make("another-password"),
    scopeMap: [{ repository: "samples/*", actions: ["metadata/read"] }]
  } as const

  it.live("of the admin user gets tokens by GET", () =>
    Effect.gen(function* () {
      yield* seedImages("alpine")
      assert.deepStrictEqual(yield* requestsOf(read("alpine")), [
        "GET /acr/v1/alpine 401",
        "GET /oauth2/token 200",
        "GET /acr/v1/alpine 200"
      ])
      const { journal } = yield* AcrEmulator.AcrEmulator
      assert.deepStrictEqual(
        (yield* journal).map(({ authorization }) => authorization),
        ["none", "basic", "bearer"]
      )
      assert.deepStrictEqual(yield* requestsOf(read("alpine")), ["GET /acr/v1/alpine 200"])
      const registry = yield* ContainerRegistry
      assert.isTrue(Option.isSome(yield* registry.deleteTag("alpine", "latest")))
    }).pipe(Effect.provide(emulated({ adminUser }, { credentials: Credentials.layerPassword(adminUser) })))
  )

  it.live("of the admin user that is rejected costs one renewal as well", () =>
    Effect.gen(function* () {
      const { revokeAccessTokens } = yield* AcrEmulator.AcrEmulator
      yield* seedImages("alpine")
      yield* read("alpine")
      yield* revokeAccessTokens
      assert.deepStrictEqual(yield* requestsOf(read("alpine")), [
        "GET /acr/v1/alpine 401",
        "GET /oauth2/token 200",
        "GET /acr/v1/alpine 200"
      ])
    }).pipe(Effect.provide(emulated({ adminUser }, { credentials: Credentials.layerPassword(adminUser) })))
  )

  it.live("that is wrong is Unauthenticated, and is not sent again", () =>
    Effect.gen(function* () {
      yield* seedImages("alpine")
      const made = yield* requestsOf(
        Effect.gen(function* () {
          assert.strictEqual(yield* reasonOf(read("alpine")), "Unauthenticated")
        })
      )
      assert.deepStrictEqual(made, ["GET /acr/v1/alpine 401", "GET /oauth2/token 401"])
    }).pipe(
      Effect.provide(
        emulated(
          { adminUser },
          { credentials: Credentials.layerPassword({ ...adminUser, password: Redacted.make("wrong") }) }
        )
      )
    )
  )

  it.live("of a scope-map token may do what its map says, and is Forbidden the rest", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      yield* seedImages("samples/alpine", "alpine")
      assert.strictEqual((yield* read("samples/alpine")).name, "samples/alpine")
      assert.strictEqual(yield* reasonOf(registry.deleteTag("samples/alpine", "latest")), "Forbidden")
      assert.strictEqual(yield* reasonOf(registry.updateTag("samples/alpine", "latest", {})), "Forbidden")
      assert.strictEqual(yield* reasonOf(read("alpine")), "Forbidden")
      assert.strictEqual(yield* reasonOf(Stream.runDrain(registry.repositories())), "Forbidden")
      assert.strictEqual((yield* registry.tagProperties("samples/alpine", "latest")).name, "latest")
    }).pipe(
      Effect.provide(
        emulated({ scopeMapTokens: [scopeMapToken] }, { credentials: Credentials.layerPassword(scopeMapToken) })
      )
    )
  )
})

describe("an anonymous caller", () => {
  const credentials = Credentials.layerAnonymous

  it.live("lists and reads where everyone may pull", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      yield* seedImages("alpine", "busybox")
      const made = yield* requestsOf(
        Effect.gen(function* () {
          const names = yield* Stream.runCollect(registry.repositories())
          assert.deepStrictEqual(names.map(String), ["alpine", "busybox"])
        })
      )
      assert.deepStrictEqual(made, ["GET /acr/v1/_catalog 401", "POST /oauth2/token 200", "GET /acr/v1/_catalog 200"])
      assert.strictEqual((yield* read("alpine")).tagCount, 1)
    }).pipe(Effect.provide(emulated({ anonymousPull: true }, { credentials })))
  )

  it.live("lacks a login for what only a login may do", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      yield* seedImages("alpine")
      assert.strictEqual(yield* reasonOf(registry.deleteTag("alpine", "latest")), "Unauthenticated")
      assert.strictEqual((yield* registry.tagProperties("alpine", "latest")).name, "latest")
    }).pipe(Effect.provide(emulated({ anonymousPull: true }, { credentials })))
  )

  it.live("is Unauthenticated where anonymous pull is off", () =>
    Effect.gen(function* () {
      yield* seedImages("alpine")
      assert.strictEqual(yield* reasonOf(read("alpine")), "Unauthenticated")
    }).pipe(Effect.provide(emulated({}, { credentials })))
  )
})

describe("a registry that grants rights by repository", () => {
  const abac = { roleAssignmentMode: "rbac-abac" } as const
  const names = Array.from({ length: 12 }, (_, index) => `team/app-${index}`)

  it.live("takes one token for ten repositories", () =>
    Effect.gen(function* () {
      const { authorize } = yield* Transport
      yield* seedImages(...names)
      const made = yield* requestsOf(
        Effect.gen(function* () {
          yield* authorize(names.map((name) => TokenScope.repository(name, "metadata_read", "pull")))
          yield* Effect.forEach(names, read, { concurrency: 4 })
        })
      )
      assert.strictEqual(count(made, "POST /oauth2/token 200"), 2)
      assert.strictEqual(count(made, "GET /acr/v1/team/app-"), names.length)
      assert.strictEqual(made.length, names.length + 4)
    }).pipe(Effect.provide(emulated(abac)))
  )

  it.live("is not asked for all repositories at once, which is said before it is tried", () =>
    Effect.gen(function* () {
      const { authorize } = yield* Transport
      yield* seedImages("alpine")
      assert.strictEqual(yield* reasonOf(authorize(["repository:*:metadata_read"])), "InvalidRequest")
      assert.strictEqual((yield* read("alpine")).name, "alpine")
    }).pipe(Effect.provide(emulated(abac)))
  )

  it.live("is one that another one is not: there one token is for all", () =>
    Effect.gen(function* () {
      const { authorize } = yield* Transport
      yield* seedImages("alpine")
      const made = yield* requestsOf(Effect.andThen(authorize(["repository:*:metadata_read"]), read("alpine")))
      assert.strictEqual(count(made, "POST /oauth2/token 200"), 1)
    }).pipe(Effect.provide(emulated()))
  )
})

describe("a login that was given away", () => {
  it.live("opens the registry to another program, as a refresh token and as a password", () =>
    Effect.gen(function* () {
      const { login } = yield* ContainerRegistry
      yield* seedImages("alpine")
      const { expiresAt, password, username } = yield* login
      const life = Option.getOrThrow(expiresAt).epochMilliseconds - (yield* Clock.currentTimeMillis)
      assert.isAbove(life, 190 * 60_000)
      assert.isAtMost(life, 195 * 60_000)
      for (const credentials of [
        Credentials.layerRefreshToken(password),
        Credentials.layerPassword({ username, password })
      ]) {
        const other = AcrEmulator.layerRegistry({ credentials })
        assert.strictEqual((yield* read("alpine").pipe(Effect.provide(other))).name, "alpine")
      }
    }).pipe(Effect.provide(emulated()))
  )
})

describe("a tag in the place of a digest", () => {
  it.live("is resolved before its manifest is deleted, each time", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const emulator = yield* AcrEmulator.AcrEmulator
      yield* read("alpine").pipe(Effect.ignore)
      const digests = []
      for (const layer of ["first", "second"]) {
        const digest = yield* emulator.seed({
          repository: "alpine",
          tags: ["latest"],
          layers: [layer],
          onTag: "overwrite"
        })
        const made = yield* requestsOf(
          Effect.gen(function* () {
            assert.strictEqual(yield* registry.deleteManifest("alpine", "latest"), digest)
          })
        )
        assert.deepStrictEqual(
          made.filter((request) => !request.includes("/oauth2/")),
          ["GET /acr/v1/alpine/_tags/latest 200", `DELETE /v2/alpine/manifests/${digest} 202`]
        )
        assert.strictEqual(yield* reasonOf(registry.manifestProperties("alpine", digest)), "NotFound")
        digests.push(digest)
      }
      assert.notStrictEqual(digests[0], digests[1])
    }).pipe(Effect.provide(emulated()))
  )

  it.live("is resolved before its manifest is read or locked, each time", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const emulator = yield* AcrEmulator.AcrEmulator
      for (const layer of ["first", "second"]) {
        const digest = yield* emulator.seed({
          repository: "alpine",
          tags: ["latest"],
          layers: [layer],
          onTag: "overwrite"
        })
        assert.strictEqual((yield* registry.manifestProperties("alpine", "latest")).digest, digest)
        const locked = yield* registry.updateManifest("alpine", "latest", { canDelete: false })
        assert.strictEqual(locked.digest, digest)
        assert.isFalse((yield* registry.manifestProperties("alpine", digest)).canDelete)
      }
    }).pipe(Effect.provide(emulated()))
  )

  it.live("that is not there deletes nothing", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      yield* seedImages("alpine")
      const made = yield* requestsOf(
        Effect.gen(function* () {
          assert.strictEqual(yield* reasonOf(registry.deleteManifest("alpine", "gone")), "NotFound")
        })
      )
      assert.strictEqual(count(made, "DELETE"), 0)
    }).pipe(Effect.provide(emulated()))
  )
})

describe("a lock", () => {
  it.live("keeps a tag, until it is taken off", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      yield* seedImages("alpine")
      assert.isFalse((yield* registry.updateTag("alpine", "latest", { canDelete: false })).canDelete)
      assert.strictEqual(yield* reasonOf(registry.deleteTag("alpine", "latest")), "Locked")
      assert.strictEqual((yield* registry.tagProperties("alpine", "latest")).name, "latest")
      assert.isTrue((yield* registry.updateTag("alpine", "latest", { canDelete: true })).canDelete)
      yield* registry.deleteTag("alpine", "latest")
      assert.strictEqual(yield* reasonOf(registry.tagProperties("alpine", "latest")), "NotFound")
    }).pipe(Effect.provide(emulated()))
  )

  it.live("keeps a manifest, until it is taken off", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      yield* seedImages("alpine")
      const { digest } = yield* registry.updateManifest("alpine", "latest", { canWrite: false })
      assert.strictEqual(yield* reasonOf(registry.deleteManifest("alpine", "latest")), "Locked")
      assert.strictEqual(yield* reasonOf(registry.deleteManifest("alpine", digest)), "Locked")
      yield* registry.updateManifest("alpine", digest, { canWrite: true })
      assert.strictEqual(yield* registry.deleteManifest("alpine", digest), digest)
      assert.strictEqual(yield* reasonOf(registry.manifestProperties("alpine", digest)), "NotFound")
    }).pipe(Effect.provide(emulated()))
  )

  it.live("keeps a repository, until it is taken off", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      yield* seedImages("alpine")
      const { digest } = yield* registry.tagProperties("alpine", "latest")
      assert.isFalse((yield* registry.updateRepository("alpine", { canDelete: false })).canDelete)
      assert.strictEqual(yield* reasonOf(registry.deleteRepository("alpine")), "Locked")
      assert.isTrue((yield* registry.updateRepository("alpine", { canDelete: true })).canDelete)
      const deleted = yield* registry.deleteRepository("alpine")
      assert.deepStrictEqual(deleted.manifests, [digest])
      assert.deepStrictEqual(deleted.tags.map(String), ["latest"])
      assert.strictEqual(yield* reasonOf(read("alpine")), "NotFound")
    }).pipe(Effect.provide(emulated()))
  )
})

describe("a list", () => {
  const names = Array.from({ length: 10 }, (_, index) => `alpine-${index}`)
  const pages = Effect.map(requests, (made) => count(made, "GET /acr/v1/_catalog 200"))

  it.live("is asked for page by page, and no further than it is read", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      yield* seedImages(...names)
      const first = yield* registry.repositories({ pageSize: 3 }).pipe(Stream.take(6), Stream.runCollect)
      assert.deepStrictEqual(first.map(String), names.slice(0, 6))
      assert.strictEqual(yield* pages, 2)
      const all = yield* Stream.runCollect(registry.repositories({ pageSize: 3 }))
      assert.deepStrictEqual(all.map(String), names)
      assert.strictEqual(yield* pages, 2 + 4)
    }).pipe(Effect.provide(emulated()))
  )

  it.live("takes a request for each 999 items, if no other page size is wanted", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const names = Array.from({ length: 1200 }, (_, index) => `alpine-${String(index).padStart(4, "0")}`)
      yield* seedImages(...names)
      const all = yield* Stream.runCollect(registry.repositories())
      assert.deepStrictEqual(all.map(String), names)
      assert.strictEqual(yield* pages, 2)
    }).pipe(Effect.provide(emulated()))
  )

  it.live("that is interrupted asks for nothing more", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const emulator = yield* AcrEmulator.AcrEmulator
      yield* seedImages(...names)
      yield* read("alpine-0")
      // The third page never comes.
      yield* emulator.inject({ path: "/acr/v1/_catalog", skip: 2, consequence: { _tag: "Stall" } })
      const seen = Ref.makeUnsafe<ReadonlyArray<string>>([])
      const fiber = yield* registry.repositories({ pageSize: 1 }).pipe(
        Stream.runForEach((name) => Ref.update(seen, (names) => [...names, name])),
        Effect.forkChild
      )
      const stalled = yield* Effect.repeat(requests, {
        until: (made) => made.includes("GET /acr/v1/_catalog 0"),
        schedule: Schedule.spaced("5 millis").pipe(Schedule.upTo({ times: 2000 }))
      })
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      assert.deepStrictEqual(yield* Ref.get(seen), names.slice(0, 2))
      yield* read("alpine-0")
      assert.deepStrictEqual(yield* requests, [...stalled, "GET /acr/v1/alpine-0 200"])
      assert.strictEqual(count(stalled, "GET /acr/v1/_catalog"), 3)
    }).pipe(Effect.provide(emulated()))
  )
})
