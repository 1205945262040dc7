/**
 * How registries refuse requests, as recorded by their users, and the errors of the client.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import type { RegistryError } from "../src/RegistryError.ts"
import { never } from "../src/RetryPolicy.ts"
import { content, sha256 } from "./support/content.ts"
import { behindOAuth, challenge, json, registry, type Script } from "./support/registry.ts"

/** A registry that requires no login, and answers every request like this. */
const answering = (status: number, body: unknown, headers: { readonly [name: string]: string } = {}) =>
  content(
    () =>
      typeof body === "string"
        ? new Response(body, { status, headers })
        : json(body, { status, headers: { ...headers } }),
    never
  )

const explained = (code: string, message: string, detail?: unknown) => ({ errors: [{ code, message, detail }] })

const push = Effect.flatMap(RegistryContent, (content) =>
  content.putManifest("alpine", "{}", { mediaType: "application/json", tag: "v1" })
)
const pull = Effect.flatMap(RegistryContent, (content) => content.manifest("alpine", "v1"))
const remove = Effect.flatMap(RegistryContent, (content) => content.deleteManifest("alpine", sha256("a")))
const untag = Effect.flatMap(ContainerRegistry, (registry) => registry.deleteTag("alpine", "v1"))

const summary = ({ reason }: RegistryError): string =>
  reason._tag === "Locked" ? `Locked by ${reason.by}` : reason._tag

describe("a registry", () => {
  const disallowed = explained(
    "REGISTRY_DISALLOWED_OPERATION",
    "The operation is disallowed on this registry, repository or image.",
    {}
  )
  const unsupported = explained("UNSUPPORTED", "The operation is unsupported.")
  const immutable = "The image tag 'v1' already exists and cannot be overwritten because the tag is immutable."

  const rows: ReadonlyArray<
    readonly [
      string,
      string,
      Effect.Effect<unknown, RegistryError, ContainerRegistry | RegistryContent>,
      number,
      unknown
    ]
  > = [
    ["ACR that locks a tag", "Locked by lock", untag, 405, disallowed],
    ["ACR that locks an image against a push", "Locked by lock", push, 405, disallowed],
    ["ACR that locks an image against a pull", "Locked by lock", pull, 405, disallowed],
    ["ECR with immutable tags", "Locked by immutability", push, 400, explained("TAG_INVALID", immutable)],
    [
      "Google with immutable tags",
      "Locked by immutability",
      push,
      400,
      explained("MANIFEST_INVALID", "cannot update tag v1. The repository has enabled tag immutability")
    ],
    [
      "Docker Hub with immutable tags",
      "Locked by immutability",
      push,
      403,
      explained(
        "DENIED",
        "This tag is already assigned to an image and cannot be updated due to immutability settings."
      )
    ],
    [
      "Harbor with immutable tags",
      "Locked by immutability",
      push,
      412,
      explained("PRECONDITION", "Failed to process request due to 'alpine:v1' configured as immutable.")
    ],
    ["another one with immutable tags", "Locked by immutability", push, 409, ""],
    ["Harbor that keeps vulnerable images", "Forbidden", pull, 412, explained("PROJECTPOLICYVIOLATION", "no")],
    ["distribution that deletes nothing", "Unsupported", remove, 405, unsupported],
    ["GitHub that deletes nothing", "Unsupported", remove, 405, unsupported],
    ["one that deletes nothing and answers 400", "Unsupported", remove, 400, unsupported],
    ["one that implements nothing", "Unsupported", remove, 501, ""],
    ["one behind a proxy that deletes nothing", "Unsupported", remove, 405, "<html>405</html>"],
    ["one that finds the tag invalid", "InvalidRequest", push, 400, explained("TAG_INVALID", "no")]
  ]
  for (const [name, expected, operation, status, body] of rows) {
    it.effect(`${name} answers ${status}: ${expected}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(summary(yield* Effect.flip(operation)), expected)
      }).pipe(Effect.provide(answering(status, body)))
    )
  }

  it.effect("of Azure that answers 405 without a body locks", () =>
    Effect.gen(function* () {
      const { resolve } = yield* RegistryContent
      assert.strictEqual(summary(yield* Effect.flip(resolve("alpine", "v1"))), "Locked by lock")
    }).pipe(Effect.provide(answering(405, "", { "x-ms-correlation-request-id": "id" })))
  )
})

describe("an explanation", () => {
  const rows: ReadonlyArray<readonly [string, number, unknown, string]> = [
    ["Artifactory", 404, { errors: [{ status: 404, message: "No such tag" }] }, "NotFound: No such tag"],
    ["a gateway", 403, { message: "Request blocked" }, "Forbidden: Request blocked"],
    ["GitLab", 403, { error: "insufficient_scope", error_description: "wants api" }, "insufficient_scope: wants api"],
    ["Docker Hub", 400, { details: "incorrect username or password" }, "incorrect username or password"],
    ["Google", 403, { error: { code: 403, message: "Permission denied" } }, "403: Permission denied"],
    ["RFC 9457", 403, { title: "Forbidden", detail: "Not from here" }, "Not from here"]
  ]
  for (const [name, status, body, expected] of rows) {
    it.effect(`by ${name} is kept`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(pull)
        assert.include(error.message, expected)
        assert.notInclude(error.message, "without an explanation")
      }).pipe(Effect.provide(answering(status, body)))
    )
  }

  it.effect("of a token service is kept", () =>
    Effect.gen(function* () {
      const { repositoryProperties } = yield* ContainerRegistry
      const error = yield* Effect.flip(repositoryProperties("alpine"))
      assert.include(error.message, "invalid_grant: the token has expired")
      assert.deepStrictEqual(error.response?.errors, [{ code: "invalid_grant", message: "the token has expired" }])
    }).pipe(
      Effect.provide(
        registry(({ url }) =>
          url.pathname === "/oauth2/exchange"
            ? json({ error: "invalid_grant", error_description: "the token has expired" }, { status: 400 })
            : challenge("repository:alpine:pull")
        )
      )
    )
  )
})

describe("a permission that is missing", () => {
  const detail = [{ Type: "repository", Name: "alpine", Action: "metadata_read" }]
  const missing = [{ type: "repository", name: "alpine", action: "metadata_read" }]
  const body = explained("UNAUTHORIZED", "authentication required, visit https://aka.ms/acr/authorization", detail)
  const insufficient: Script = (asked, count) =>
    behindOAuth("repository:alpine:metadata_read", () => {
      const { headers } = challenge("repository:alpine:metadata_read", ',error="insufficient_scope"')
      return json(body, { status: 401, headers: { "www-authenticate": headers.get("www-authenticate") ?? "" } })
    })(asked, count)
  const read = Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties("alpine"))

  const rows: ReadonlyArray<readonly [string, string, ReturnType<typeof registry>]> = [
    [
      "to an anonymous caller",
      "Unauthenticated",
      registry(() => json(body, { status: 401 }), { credentials: Credentials.layerAnonymous })
    ],
    ["to an identity", "Forbidden", registry(insufficient)],
    ["where the registry says 403", "Forbidden", registry(() => json(body, { status: 403 }))]
  ]
  for (const [name, tag, layer] of rows) {
    it.effect(`${name} is named, as data and in the message`, () =>
      Effect.gen(function* () {
        const { message, reason } = yield* Effect.flip(read)
        assert.strictEqual(reason._tag, tag)
        assert.deepStrictEqual<unknown>(Reflect.get(reason, "missing"), missing)
        assert.include(message, "(missing: metadata_read on repository alpine)")
        assert.strictEqual(message.split("(missing: ").length, 2)
      }).pipe(Effect.provide(layer))
    )
  }
})
