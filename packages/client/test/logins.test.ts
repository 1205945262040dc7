/**
 * Logins of real registries: which scopes they require, where they omit the challenge, and which credential is used.
 * The linked reports are those of other clients.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as BlobSource from "../src/BlobSource.ts"
import * as Credentials from "../src/Credentials.ts"
import * as Digest from "../src/Digest.ts"
import * as Operation from "../src/Operation.ts"
import * as RegistryContentModule from "../src/RegistryContent.ts"
import { Transport } from "../src/Transport.ts"
import { content, patient, sha256 } from "./support/content.ts"
import { asked, by, digest, empty, manifestAnswer, pull, refusal, taking, upload, uploads } from "./support/lenient.ts"
import {
  type Asked,
  challenge,
  endpoint,
  Journal,
  json,
  registry,
  type Reply,
  type Script
} from "./support/registry.ts"

const { RegistryContent } = RegistryContentModule

const isList = ({ url }: Asked) => url.pathname.endsWith("/tags/list")

/** Grants all requested scopes, and requires for each request what a function says. */
const granting = (wanted: (asked: Asked) => ReadonlyArray<string>, answer: Script) =>
  content((asked, count) => {
    const { authorization, body, url } = asked
    if (url.pathname === "/oauth2/exchange") return json({ refresh_token: "refresh" })
    if (url.pathname === "/oauth2/token") {
      return json({ access_token: btoa(new URLSearchParams(body).get("scope") ?? "") })
    }
    const granted = atob((authorization ?? "Bearer ").slice(7))
    const actions = granted.slice(granted.lastIndexOf(":") + 1).split(",")
    const missing = wanted(asked).filter((action) => !actions.includes(action))
    return missing.length > 0 ? challenge(`repository:alpine:${missing.join(",")}`) : answer(asked, count)
  })

describe("scopes", () => {
  const tokenRequests = Effect.map(Journal, (journal) =>
    journal
      .filter(({ url }) => url.pathname === "/oauth2/token")
      .map(({ body }) => new URLSearchParams(body).get("scope"))
  )
  const tags = Effect.flatMap(RegistryContent, (content) => Stream.runCollect(content.tags("alpine")))
  const listing = by(
    ["GET", /tags\/list/, () => json({ name: "alpine", tags: ["v1"] })],
    ["GET", /manifests/, () => manifestAnswer()]
  )
  // https://github.com/Azure/acr/issues/423
  it.effect(
    "that a registry requires for a list in addition are requested in advance, and the token for pulls is kept",
    () =>
      Effect.gen(function* () {
        yield* pull
        yield* tags
        const cold = (yield* Journal).length
        yield* tags
        assert.lengthOf(yield* Journal, cold + 1)
        yield* pull
        assert.lengthOf(yield* Journal, cold + 2)
        assert.deepStrictEqual(yield* tokenRequests, ["repository:alpine:pull", "repository:alpine:metadata_read,pull"])
      }).pipe(Effect.provide(granting((asked) => (isList(asked) ? ["metadata_read"] : ["pull"]), listing)))
  )

  it.effect("that one repository requires in addition do not lock out others", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      yield* content.manifest("alpine", "v1")
      yield* content.manifest("debian", "v1")
    }).pipe(
      Effect.provide(
        content(({ authorization, body, url }) => {
          if (url.pathname === "/oauth2/exchange") return json({ refresh_token: "refresh" })
          if (url.pathname === "/oauth2/token") {
            const scope = new URLSearchParams(body).get("scope") ?? ""
            return scope.includes("debian") && scope.includes("special")
              ? refusal(403, "DENIED")
              : json({ access_token: btoa(scope) })
          }
          const granted = atob((authorization ?? "Bearer ").slice(7))
          const wanted = url.pathname.includes("alpine") ? "repository:alpine:pull,special" : "repository:debian:pull"
          return granted.includes(wanted) ? manifestAnswer() : challenge(wanted)
        })
      )
    )
  )

  it.effect("that a registry requires are combined with those that the operation needs", () =>
    Effect.gen(function* () {
      yield* upload()
      assert.deepStrictEqual(yield* tokenRequests, ["repository:alpine:pull,push"])
    }).pipe(
      Effect.provide(
        content((asked, count) => {
          if (asked.url.pathname === "/oauth2/exchange") return json({ refresh_token: "refresh" })
          if (asked.url.pathname === "/oauth2/token") return json({ access_token: "access" })
          return asked.authorization === undefined ? challenge("repository:alpine:pull") : taking()(asked, count)
        })
      )
    )
  )

  // GHCR's challenge names a repository that does not exist.
  it.effect("of a placeholder do not replace those of the operation", () =>
    Effect.gen(function* () {
      yield* pull
      assert.deepStrictEqual(yield* tokenRequests, ["repository:alpine:pull repository:user/image:pull"])
    }).pipe(
      Effect.provide(
        content((asked) => {
          if (asked.url.pathname === "/oauth2/exchange") return json({ refresh_token: "refresh" })
          if (asked.url.pathname === "/oauth2/token") return json({ access_token: "access" })
          return asked.authorization === undefined ? challenge("repository:user/image:pull") : manifestAnswer()
        })
      )
    )
  )
})

/** Puts a blob with this content. */
const put = (text: string) =>
  Effect.flatMap(RegistryContent, (content) =>
    content.putBlob(
      "alpine",
      { digest: Digest.Digest.make(sha256(text)), size: text.length },
      BlobSource.fromString(text)
    )
  )

/** The root of a registry that requires a password. */
const demanding = () => empty(401, { "www-authenticate": "Basic" })

describe("a login for which a registry sends no challenge", () => {
  const password = Credentials.layerPassword({ username: "contoso", password: Redacted.make("planted-password") })
  const basic = `Basic ${btoa("contoso:planted-password")}`
  const services = (script: Script, credentials = password) =>
    RegistryContentModule.layerTransport().pipe(Layer.provideMerge(registry(script, { credentials, retry: patient })))

  /** A registry that shows a blob only to this login. */
  const hiding = (root: () => Reply): Script => {
    const shown = taking(["HEAD", new RegExp(sha256("existing")), () => empty(200)])
    return (asked, count) => {
      if (asked.authorization === basic) return shown(asked, count)
      if (asked.url.pathname === "/v2/") return root()
      return asked.method === "HEAD" ? empty(404) : empty(401, { "www-authenticate": "Basic" })
    }
  }

  for (const status of [401, 403, 404]) {
    it.effect(`is sent after ${status}, if the root of the registry requires it`, () =>
      Effect.gen(function* () {
        yield* pull
        const cold = (yield* Journal).length
        assert.strictEqual(cold, 3)
        yield* pull
        const journal = yield* Journal
        assert.lengthOf(journal, cold + 1)
        assert.strictEqual(journal.at(-1)?.authorization, basic)
      }).pipe(
        Effect.provide(
          services(({ authorization, url }) => {
            if (authorization === basic) return manifestAnswer()
            return url.pathname === "/v2/"
              ? empty(401, { "www-authenticate": 'Basic realm="Artifactory"' })
              : refusal(status)
          })
        )
      )
    )
  }

  it.effect("is sent for hidden content, after anonymous requests succeeded", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      yield* pull
      yield* content.manifest("hidden", "v1")
      assert.strictEqual((yield* Journal).at(-1)?.authorization, basic)
    }).pipe(
      Effect.provide(
        services(({ authorization, url }) => {
          if (url.pathname === "/v2/") return empty(401, { "www-authenticate": 'Basic realm="Artifactory"' })
          return authorization === basic || url.pathname.includes("alpine") ? manifestAnswer() : refusal(404)
        })
      )
    )
  )

  it.effect("is sent with each of several requests at once, one of which probes the root", () =>
    Effect.gen(function* () {
      yield* Effect.all([pull, pull, pull, pull], { concurrency: "unbounded" })
      const journal = yield* Journal
      assert.lengthOf(
        journal.filter(({ url }) => url.pathname === "/v2/"),
        1
      )
    }).pipe(
      Effect.provide(
        services(({ authorization, url }) => {
          if (authorization === basic) return manifestAnswer()
          return url.pathname === "/v2/" ? empty(401, { "www-authenticate": "Basic" }) : refusal(404)
        })
      )
    )
  )

  it.effect("is sent later if the root could not answer at first", () => {
    let isDown = true
    return Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(pull)).reason._tag, "NotFound")
      isDown = false
      yield* pull
    }).pipe(
      Effect.provide(
        services(({ authorization, url }) => {
          if (authorization === basic) return manifestAnswer()
          if (url.pathname !== "/v2/") return refusal(404)
          return isDown ? empty(500) : empty(401, { "www-authenticate": "Basic" })
        })
      )
    )
  })

  describe("shows blobs that the registry hides without it", () => {
    const texts = ["new", "existing"]

    for (const order of [texts, texts.toReversed()]) {
      it.effect(`in the order ${order.join(", ")}`, () =>
        Effect.gen(function* () {
          const outcomes = yield* Effect.forEach(order, put)
          assert.deepStrictEqual(
            outcomes,
            order.map((text) => (text === "new" ? "sent" : "present"))
          )
        }).pipe(Effect.provide(services(hiding(demanding))))
      )
    }

    const looking: Operation.Operation<boolean> = {
      ...Operation.get<boolean>(`/v2/alpine/blobs/${digest}`, {
        name: "Example.has",
        decode: () => Effect.succeed(true),
        whenMissing: Effect.succeed(false)
      }),
      method: "HEAD"
    }
    const look = Effect.flatMap(Transport, ({ execute }) => execute(looking))

    it.effect("which are missing if there is no login: the first look-up already says so", () =>
      Effect.gen(function* () {
        assert.isFalse(yield* look)
        assert.isFalse(yield* look)
        assert.lengthOf(yield* Journal, 2)
      }).pipe(Effect.provide(services(hiding(demanding), Credentials.layerAnonymous)))
    )

    it.effect("which are missing if there is no login, also once the registry has asked for one", () =>
      Effect.gen(function* () {
        yield* Effect.exit(pull)
        assert.isFalse(yield* look)
      }).pipe(Effect.provide(services(hiding(demanding), Credentials.layerAnonymous)))
    )

    it.effect("which are not missing as long as the root cannot say whether a login would show them", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(look)).reason._tag, "NotFound")
      }).pipe(Effect.provide(services(hiding(() => empty(500)))))
    )

    it.effect("also if there is none for another repository", () =>
      Effect.gen(function* () {
        const content = yield* RegistryContent
        const missing = { digest: Digest.Digest.make(sha256("new")), size: 3 }
        yield* content.putBlob("debian", missing, BlobSource.fromString("new")).pipe(Effect.exit)
        assert.strictEqual(yield* put("existing"), "present")
      }).pipe(
        Effect.provide(
          services(
            hiding(demanding),
            Layer.succeed(Credentials.Credentials, {
              perRegistry: false,
              get: ({ repository }) =>
                Effect.succeed<Credentials.Credential>(
                  repository === "alpine"
                    ? { _tag: "Password", username: "contoso", password: Redacted.make("planted-password") }
                    : { _tag: "Anonymous" }
                )
            })
          )
        )
      )
    )

    for (const status of [200, 500]) {
      it.effect(`also if another request meets a challenge before the root answers with ${status}`, () => {
        const isAsked = Latch.makeUnsafe()
        const mayAnswer = Latch.makeUnsafe()
        return Effect.gen(function* () {
          const first = yield* Effect.forkChild(put("existing"))
          yield* isAsked.await
          yield* Effect.exit(pull)
          yield* mayAnswer.open
          assert.strictEqual(yield* Fiber.join(first), "present")
          assert.strictEqual(yield* put("new"), "sent")
        }).pipe(
          Effect.provide(
            services(hiding(() => isAsked.open.pipe(Effect.andThen(mayAnswer.await), Effect.as(empty(status)))))
          )
        )
      })
    }

    it.effect("also if the root could not answer at first", () => {
      let isDown = true
      return Effect.gen(function* () {
        const content = yield* RegistryContent
        const wanted = Effect.flip(content.headBlob("alpine", sha256("existing")))
        assert.strictEqual((yield* wanted).reason._tag, "NotFound")
        isDown = false
        assert.strictEqual(yield* put("existing"), "present")
      }).pipe(Effect.provide(services(hiding(() => (isDown ? empty(500) : demanding())))))
    })
  })

  it.effect("that does not help does not affect public content", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      const outcomes: Array<string> = []
      for (const repository of ["alpine", "hidden", "alpine", "debian"]) {
        const outcome = yield* Effect.result(content.manifest(repository, "v1"))
        outcomes.push(outcome._tag === "Success" ? "read" : outcome.failure.reason._tag)
      }
      assert.deepStrictEqual(outcomes, ["read", "NotFound", "read", "read"])
    }).pipe(
      Effect.provide(
        services(({ authorization, url }) => {
          if (url.pathname === "/token" || authorization?.startsWith("Basic ") === true) return refusal(401)
          if (url.pathname === "/v2/") {
            return empty(401, { "www-authenticate": `Bearer realm="${endpoint}/token",service="s"` })
          }
          return url.pathname.includes("hidden") ? refusal(404) : manifestAnswer()
        })
      )
    )
  )

  it.effect("is sent after a 401 without a challenge, even if the root requires nothing", () =>
    Effect.gen(function* () {
      yield* pull
      assert.strictEqual((yield* Journal).at(-1)?.authorization, basic)
    }).pipe(Effect.provide(services(({ authorization }) => (authorization === basic ? manifestAnswer() : empty(401)))))
  )

  it.effect("is not sent if the root is open: the refusal is the result", () =>
    Effect.gen(function* () {
      for (let count = 0; count < 3; count++) {
        assert.strictEqual((yield* Effect.flip(pull)).reason._tag, "NotFound")
      }
      const journal = yield* Journal
      assert.lengthOf(journal, 4)
      assert.deepStrictEqual(
        journal.map(({ authorization }) => authorization),
        [undefined, undefined, undefined, undefined]
      )
    }).pipe(Effect.provide(services(({ url }) => (url.pathname === "/v2/" ? empty(200) : refusal(404)))))
  )

  it.effect("is missing: the refusal is the result", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(pull)).reason._tag, "NotFound")
    }).pipe(
      Effect.provide(
        services(
          ({ url }) => (url.pathname === "/v2/" ? empty(401, { "www-authenticate": "Basic" }) : refusal(404)),
          Credentials.layerAnonymous
        )
      )
    )
  )
})

const service = (asked: Array<string | undefined>, perRegistry: boolean) =>
  Layer.succeed(Credentials.Credentials, {
    perRegistry,
    get: ({ repository }) =>
      Effect.sync((): Credentials.Credential => {
        asked.push(repository)
        return { _tag: "Password", username: repository ?? "all", password: Redacted.make("planted-password") }
      })
  })

const userOf = (authorization: string | undefined) => atob((authorization ?? "").slice(6)).split(":")[0] ?? ""

const tokens: Script = ({ authorization, method, url }) => {
  if (url.pathname === "/token") return json({ token: btoa(userOf(authorization)) })
  if (authorization === undefined) {
    return empty(401, { "www-authenticate": `Bearer realm="${endpoint}/token",service="s"` })
  }
  if (method === "POST") {
    return url.search.includes("mount") ? refusal(403) : empty(202, { location: `${url.pathname}1` })
  }
  if (method === "PATCH") return empty(202, { location: url.pathname, range: "0-9" })
  return method === "PUT" ? empty(201) : method === "HEAD" ? empty(404) : manifestAnswer()
}

const using = (asked: Array<string | undefined>, perRegistry = false) =>
  RegistryContentModule.layerTransport().pipe(
    Layer.provideMerge(registry(tokens, { credentials: service(asked, perRegistry), retry: patient }))
  )

describe("the credential of a repository", () => {
  it.effect("shows what is hidden there, also after an Entra token was of no use for another repository", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      const other = yield* Effect.flip(content.manifest("debian", "v1"))
      assert.strictEqual(other.reason._tag, "NotFound")
      yield* content.manifest("alpine", "v1")
    }).pipe(
      Effect.provide(
        RegistryContentModule.layerTransport().pipe(
          Layer.provideMerge(
            registry(
              ({ authorization, url }) => {
                if (url.pathname === "/v2/") return empty(401, { "www-authenticate": "Basic" })
                return authorization === `Basic ${btoa("alpine:planted-password")}` ? manifestAnswer() : refusal(404)
              },
              {
                credentials: Layer.succeed(Credentials.Credentials, {
                  perRegistry: false,
                  get: ({ repository }) =>
                    Effect.succeed<Credentials.Credential>(
                      repository === "alpine"
                        ? { _tag: "Password", username: "alpine", password: Redacted.make("planted-password") }
                        : { _tag: "EntraToken", token: Redacted.make("planted-entra-token") }
                    )
                }),
                retry: patient
              }
            )
          )
        )
      )
    )
  )

  it.effect("is requested once for each, and its tokens are used only for that repository", () => {
    const wanted: Array<string | undefined> = []
    return Effect.gen(function* () {
      const content = yield* RegistryContent
      for (const repository of ["alpine", "debian", "alpine", "debian"]) yield* content.manifest(repository, "v1")
      assert.deepStrictEqual(wanted, ["alpine", "debian"])
      assert.deepStrictEqual(
        (yield* Journal)
          .filter(({ authorization, url }) => url.pathname.startsWith("/v2/") && authorization !== undefined)
          .map(({ authorization, url }) => [url.pathname.split("/")[2], atob((authorization ?? "").slice(7))]),
        ["alpine", "debian", "alpine", "debian"].map((name) => [name, name])
      )
    }).pipe(Effect.provide(using(wanted)))
  })

  it.effect("for a mount is that of the target, and a refusal leads to an upload", () => {
    const wanted: Array<string | undefined> = []
    return Effect.gen(function* () {
      yield* upload({ digest, mountFrom: "debian" })
      assert.deepStrictEqual(wanted, ["alpine"])
      assert.include(yield* asked, `POST ${uploads}`)
      const content = yield* RegistryContent
      yield* content.manifest("debian", "v1")
      assert.deepStrictEqual(wanted, ["alpine", "debian"])
    }).pipe(Effect.provide(using(wanted)))
  })

  it.effect("is requested once for all if the service says so", () => {
    const wanted: Array<string | undefined> = []
    return Effect.gen(function* () {
      const content = yield* RegistryContent
      for (const repository of ["alpine", "debian"]) yield* content.manifest(repository, "v1")
      assert.deepStrictEqual(wanted, [undefined])
    }).pipe(Effect.provide(using(wanted, true)))
  })
})
