/**
 * What a login is before it is used: whether the registry accepts it, what its tokens allow, and why it was chosen.
 */
import * as Credentials from "@effect-acr/client/Credentials"
import { CredentialUnavailable } from "@effect-acr/client/RegistryError"
import * as TokenScope from "@effect-acr/client/TokenScope"
import * as Transport from "@effect-acr/client/Transport"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, it, layer } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

const puller = { username: "puller", password: Redacted.make("only to pull") }

const emulator = AcrEmulator.layer({
  scopeMapTokens: [{ ...puller, scopeMap: [{ repository: "shop/*", actions: ["content/read", "metadata/read"] }] }]
})

const { Transport: Conversation } = Transport

const as = (login: { readonly username: string; readonly password: Redacted.Redacted<string> }) =>
  AcrEmulator.layerRegistry({ credentials: Credentials.layerPassword(login) })

layer(emulator, { excludeTestServices: true })("a login", (it) => {
  it.effect("is accepted or refused by the registry, without any other request", () =>
    Effect.gen(function* () {
      const { clearJournal, journal } = yield* AcrEmulator.AcrEmulator
      yield* clearJournal
      yield* Conversation.use(({ check }) => check).pipe(Effect.provide(as(puller)))
      const paths = (yield* journal).map(({ path }) => path.split("?", 1)[0])
      assert.deepStrictEqual(new Set(paths), new Set(["/v2/", "/oauth2/token"]))

      const wrong = { ...puller, password: Redacted.make("not this one") }
      const { operation, reason } = yield* Conversation.use(({ check }) => check).pipe(
        Effect.provide(as(wrong)),
        Effect.flip
      )
      assert.deepStrictEqual([operation, reason._tag], ["Transport.check", "Unauthenticated"])
    })
  )

  it.effect("has tokens that say what they are for, and may be for less than requested", () =>
    Effect.gen(function* () {
      const { access } = yield* Conversation
      const rightsOf = (scope: TokenScope.TokenScope) =>
        Effect.map(
          access([scope]),
          Option.map(({ access }) => access)
        )
      const pull = yield* access([TokenScope.repository("shop/api", "pull")])
      assert.deepStrictEqual(
        Option.map(pull, ({ access }) => access),
        Option.some([{ type: "repository", name: "shop/api", actions: ["pull"] }])
      )
      const end = Option.getOrThrow(Option.flatMap(pull, ({ expiresAt }) => expiresAt))
      assert.isTrue(DateTime.isGreaterThan(end, yield* DateTime.now))
      assert.deepStrictEqual(
        yield* rightsOf(TokenScope.repository("shop/api", "pull", "push")),
        Option.some([{ type: "repository", name: "shop/api", actions: ["pull"] }])
      )
    }).pipe(Effect.provide(as(puller)))
  )
})

describe("credentials that are tried in order", () => {
  const request = { endpoint: "https://myregistry.azurecr.io", loginServer: "myregistry.azurecr.io" }

  it.effect("say which one is used, why those before it are not, and that those after it were not requested", () =>
    Effect.gen(function* () {
      const reason = new CredentialUnavailable({ credential: "vault", problem: "Failed", description: "it is sealed" })
      const sealed = Layer.succeed(Credentials.Credentials, { get: () => Effect.fail(reason) })
      const never = Layer.succeed(Credentials.Credentials, { get: () => Effect.die("requested") })
      assert.deepStrictEqual(yield* Credentials.attempts(request, [sealed, Credentials.layerAnonymous, never]), [
        { _tag: "Failed", failure: reason },
        { _tag: "Used", credential: { _tag: "Anonymous" } },
        { _tag: "NotReached" }
      ])
    })
  )
})
