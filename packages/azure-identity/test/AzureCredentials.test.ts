/**
 * The real `@azure/identity` with a fake Entra ID and the emulator: no request leaves this machine.
 */
import { createPrivateKey, createVerify, X509Certificate, constants } from "node:crypto"
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { ContainerRegistry } from "@effect-acr/client/ContainerRegistry"
import * as Credentials from "@effect-acr/client/Credentials"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import { never } from "@effect-acr/client/RetryPolicy"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { generate } from "selfsigned"
import { AzureCloud, AzureCredentials } from "../src/index.ts"
import { environment } from "./support/environment.ts"
import * as Entra from "./support/entra.ts"
import * as Network from "./support/network.ts"

const { client: clientId, tenant: tenantId } = Entra

/** A cloud of this machine. */
const cloud = AzureCloud.custom({
  authorityHost: "https://entra.example",
  audience: "https://containerregistry.azure.net",
  loginServers: ["127.0.0.1"]
})

const scope = "https://containerregistry.azure.net/.default"

type CredentialsLayer = Layer.Layer<Credentials.Credentials, Config.ConfigError>

/** A fake Entra ID at its name, and an emulator that accepts its tokens. */
const begin = Effect.gen(function* () {
  const entra = yield* Entra.make
  const network = yield* Network.Network
  network.lead("entra.example", entra)
  const emulator = yield* AcrEmulator.make({ https: true, acceptsEntraToken: entra.issued })
  yield* emulator.seed({ repository: "alpine", tags: ["latest"] })
  return { entra, emulator, network }
})

/** Runs an effect on the emulator with credentials. */
const on = (emulator: AcrEmulator.Service, credentials: CredentialsLayer) =>
  AcrEmulator.layerRegistry({ credentials, retry: never }).pipe(
    Layer.provide(Layer.succeed(AcrEmulator.AcrEmulator, emulator))
  )

const list = Effect.flatMap(ContainerRegistry, (registry) =>
  Effect.map(Stream.runCollect(registry.repositories()), (names) => names.map(String))
)

/** Logs in, and returns the requests to Entra ID. */
const logsIn = (credentials: CredentialsLayer) =>
  Effect.gen(function* () {
    const { emulator, entra, network } = yield* begin
    assert.deepStrictEqual(yield* list.pipe(Effect.provide(on(emulator, credentials))), ["alpine"])
    assert.deepStrictEqual(network.refused, [])
    const [asked, ...more] = entra.tokenRequests()
    assert.deepStrictEqual(more, [])
    if (asked === undefined) return assert.fail("Entra ID was not asked")
    return asked
  })

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "azure-identity-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

const reasonOf = <A, R>(effect: Effect.Effect<A, RegistryError, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason)

const unavailable = <A, R>(effect: Effect.Effect<A, RegistryError, R>) =>
  Effect.map(reasonOf(effect), (reason) =>
    reason._tag === "CredentialUnavailable" ? reason : assert.fail(`${reason._tag}: ${reason.message}`)
  )

const Assertion = Schema.fromJsonString(Schema.Struct({ alg: Schema.String, x5c: Schema.optionalKey(Schema.Unknown) }))

/** The Azure CLI of these tests is a script of `sh`. */
const isWindows = process.platform === "win32"

describe("an identity of Entra ID logs in", () => {
  it.live("with a client secret", () =>
    Effect.gen(function* () {
      const clientSecret = Redacted.make("planted-client-secret")
      const asked = yield* logsIn(AzureCredentials.layerClientSecret({ cloud, tenantId, clientId, clientSecret }))
      assert.strictEqual(asked.host, "entra.example")
      assert.strictEqual(asked.path, `/${tenantId}/oauth2/v2.0/token`)
      assert.deepInclude(asked.form, {
        grant_type: "client_credentials",
        client_id: clientId,
        client_secret: "planted-client-secret"
      })
      assert.include((asked.form["scope"] ?? "").split(" "), scope)
    }).pipe(Effect.provide(Network.layer))
  )

  for (const kind of ["path", "pem", "locked pem"] as const) {
    it.live(`with a certificate, by its ${kind}`, () =>
      Effect.gen(function* () {
        const { cert, private: key } = yield* Effect.promise(() =>
          generate([{ name: "commonName", value: "application" }], { keySize: 2048 })
        )
        const path = join(yield* folder, "application.pem")
        yield* Effect.promise(() => writeFile(path, key + cert))
        const locked = createPrivateKey(key).export({
          type: "pkcs8",
          format: "pem",
          cipher: "aes-256-cbc",
          passphrase: "planted-password"
        })
        const asked = yield* logsIn(
          AzureCredentials.layerClientCertificate({
            cloud,
            tenantId,
            clientId,
            ...(kind === "path"
              ? { certificate: { path } }
              : kind === "pem"
                ? { certificate: { pem: Redacted.make(key + cert) } }
                : {
                    certificate: { pem: Redacted.make(locked.toString() + cert) },
                    password: Redacted.make("planted-password"),
                    sendCertificateChain: true
                  })
          })
        )
        const [header = "", payload = "", signature = ""] = (asked.form["client_assertion"] ?? "").split(".")
        const { alg, x5c } = yield* Schema.decodeEffect(Assertion)(Buffer.from(header, "base64url").toString())
        assert.strictEqual(x5c !== undefined, kind === "locked pem")
        const { publicKey } = new X509Certificate(cert)
        const padding = alg.startsWith("PS")
          ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
          : {}
        assert.isTrue(
          createVerify("sha256")
            .update(`${header}.${payload}`)
            .verify({ key: publicKey, ...padding }, Buffer.from(signature, "base64url"))
        )
      }).pipe(Effect.provide(Network.layer))
    )
  }

  it.live("with the identity of a workload", () =>
    Effect.gen(function* () {
      const tokenFilePath = join(yield* folder, "token")
      yield* Effect.promise(() => writeFile(tokenFilePath, "planted-federated-token"))
      yield* environment({
        AZURE_TENANT_ID: tenantId,
        AZURE_CLIENT_ID: clientId,
        AZURE_FEDERATED_TOKEN_FILE: tokenFilePath
      })
      const asked = yield* logsIn(AzureCredentials.layerWorkloadIdentityOptions({ cloud }))
      assert.deepInclude(asked.form, {
        grant_type: "client_credentials",
        client_id: clientId,
        client_assertion: "planted-federated-token",
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
      })
    }).pipe(Effect.provide(Network.layer))
  )

  const identities: ReadonlyArray<{
    readonly kind: string
    readonly identity?: AzureCredentials.ManagedIdentity
    readonly query: object
  }> = [
    { kind: "the system's", query: {} },
    { kind: "a user's, by its client", identity: { clientId }, query: { client_id: clientId } },
    { kind: "a user's, by its resource", identity: { resourceId: "/a/resource" }, query: { mi_res_id: "/a/resource" } },
    { kind: "a user's, by its object", identity: { objectId: "an-object" }, query: { object_id: "an-object" } }
  ]
  it.live.each(identities)("with a managed identity: $kind", ({ identity, query }) =>
    Effect.gen(function* () {
      const { emulator, entra, network } = yield* begin
      yield* environment({
        IDENTITY_ENDPOINT: `https://localhost:${entra.port}/msi/token`,
        IDENTITY_HEADER: "planted-identity-header"
      })
      network.lead("localhost", entra)
      const credentials = AzureCredentials.layerManagedIdentityOptions({
        cloud,
        ...(identity === undefined ? {} : { identity })
      })
      network.lead("127.0.0.1", {
        port: Number(new URL(emulator.endpoint).port),
        certificate: emulator.certificate._tag === "Some" ? emulator.certificate.value : ""
      })
      assert.deepStrictEqual(yield* list.pipe(Effect.provide(on(emulator, credentials))), ["alpine"])
      assert.deepStrictEqual(network.refused, [])
      const [asked] = entra.tokenRequests()
      assert.strictEqual(asked?.headers["x-identity-header"], "planted-identity-header")
      assert.deepInclude(asked?.query ?? {}, { resource: "https://containerregistry.azure.net", ...query })
    }).pipe(Effect.provide(Network.layer))
  )

  it.live("with the first available credential: a service principal in the environment", () =>
    Effect.gen(function* () {
      yield* environment({
        AZURE_TENANT_ID: tenantId,
        AZURE_CLIENT_ID: clientId,
        AZURE_CLIENT_SECRET: "planted-client-secret"
      })
      const asked = yield* logsIn(AzureCredentials.layerDefaultOptions({ cloud }))
      assert.deepInclude(asked.form, { client_id: clientId, client_secret: "planted-client-secret" })
    }).pipe(Effect.provide(Network.layer))
  )

  it.live.skipIf(isWindows)("with the Azure CLI", () =>
    Effect.gen(function* () {
      const bin = yield* folder
      const { emulator } = yield* begin
      const answer = JSON.stringify({
        accessToken: Redacted.value(emulator.logins.entraToken),
        expires_on: Math.floor(Date.now() / 1000) + 3600,
        tokenType: "Bearer"
      })
      yield* Effect.promise(() => writeFile(join(bin, "az"), `#!/bin/sh\necho "$@" > ${bin}/asked\necho '${answer}'\n`))
      yield* Effect.promise(() => chmod(join(bin, "az"), 0o755))
      yield* environment({ PATH: `${bin}:/usr/bin:/bin` })
      const credentials = AzureCredentials.layerAzureCliOptions({ cloud, tenantId })
      assert.deepStrictEqual(yield* list.pipe(Effect.provide(on(emulator, credentials))), ["alpine"])
      const asked = yield* Effect.promise(() => readFile(join(bin, "asked"), "utf8"))
      assert.strictEqual(
        asked.trim(),
        `account get-access-token --output json --resource https://containerregistry.azure.net --tenant ${tenantId}`
      )
    }).pipe(Effect.provide(Network.layer))
  )

  it.live("with a custom credential, which is called by its interface", () =>
    Effect.gen(function* () {
      const { emulator } = yield* begin
      const requests: Array<readonly [unknown, unknown]> = []
      const credentials = AzureCredentials.layerTokenCredential(
        {
          getToken: (scopes, options) => {
            requests.push([scopes, options?.enableCae])
            return Promise.resolve({
              token: Redacted.value(emulator.logins.entraToken),
              expiresOnTimestamp: Date.now() + 3600_000
            })
          }
        },
        { cloud }
      )
      assert.deepStrictEqual(yield* list.pipe(Effect.provide(on(emulator, credentials))), ["alpine"])
      assert.deepStrictEqual(requests, [[scope, true]])
    }).pipe(Effect.provide(Network.layer))
  )
})

describe("a claims challenge", () => {
  const claims = JSON.stringify({ access_token: { nbf: { essential: true, value: "1700000000" } } })
  const challenge = {
    _tag: "Answer",
    status: 401,
    headers: {
      "WWW-Authenticate": `Bearer realm="", authorization_uri="https://login.microsoftonline.com/", error="insufficient_claims", claims="${btoa(claims)}"`
    }
  } as const
  const credentials = AzureCredentials.layerClientSecret({
    cloud,
    tenantId,
    clientId,
    clientSecret: Redacted.make("planted-client-secret")
  })

  it.live("of the registry goes to Entra ID with the next request for a token", () =>
    Effect.gen(function* () {
      const { emulator, entra } = yield* begin
      yield* Effect.gen(function* () {
        yield* list
        yield* emulator.inject({ path: "/acr/v1/", consequence: challenge })
        assert.deepStrictEqual(yield* list, ["alpine"])
      }).pipe(Effect.provide(on(emulator, credentials)))
      const [first, second, ...more] = entra.tokenRequests()
      assert.deepStrictEqual(more, [])
      assert.notInclude(first?.form["claims"] ?? "", "1700000000")
      assert.include(second?.form["claims"], '"nbf":{"essential":true,"value":"1700000000"}')
    }).pipe(Effect.provide(Network.layer))
  )

  it.live("of another origin goes nowhere", () =>
    Effect.gen(function* () {
      const { emulator, entra } = yield* begin
      yield* emulator.inject({ path: "/blobs/", times: 10, consequence: challenge })
      const error = yield* Effect.gen(function* () {
        const content = yield* RegistryContent
        const { manifest } = yield* content.manifest("alpine", "latest")
        if (manifest._tag !== "ImageManifest") return assert.fail("not an image")
        return yield* Effect.flip(content.blobBytes("alpine", manifest.config))
      }).pipe(Effect.provide(on(emulator, credentials)))
      assert.strictEqual(error.reason._tag, "Unauthenticated")
      assert.lengthOf(entra.tokenRequests(), 1)
    }).pipe(Effect.provide(Network.layer))
  )
})

describe("an operation that is interrupted", () => {
  it.live("aborts its request for a token", () =>
    Effect.gen(function* () {
      const { emulator, entra } = yield* begin
      entra.answerTokensWith("stall")
      const credentials = AzureCredentials.layerClientSecret({
        cloud,
        tenantId,
        clientId,
        clientSecret: Redacted.make("planted-client-secret")
      })
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(list)
        while (entra.tokenRequests().length === 0) yield* Effect.sleep("5 millis")
        yield* Fiber.interrupt(fiber)
        while (entra.abandoned() === 0) yield* Effect.sleep("5 millis")
      }).pipe(Effect.provide(on(emulator, credentials)))
    }).pipe(Effect.provide(Network.layer))
  )
})

describe("a failure", () => {
  it.live("of Entra ID has its message, without the secret", () =>
    Effect.gen(function* () {
      const { emulator, entra } = yield* begin
      entra.answerTokensWith({
        status: 401,
        json: {
          error: "invalid_client",
          error_description:
            "AADSTS7000215: Invalid client secret provided: planted-client-secret. Trace ID: 9d1f Correlation ID: 7c2e",
          error_codes: [7000215]
        }
      })
      const credentials = AzureCredentials.layerClientSecret({
        cloud,
        tenantId,
        clientId,
        clientSecret: Redacted.make("planted-client-secret")
      })
      const exit = yield* Effect.exit(list).pipe(Effect.provide(on(emulator, credentials)))
      if (!Exit.isFailure(exit)) return assert.fail("it did not fail")
      const printed = [
        Cause.pretty(exit.cause),
        inspect(exit, { depth: Infinity, showHidden: true }),
        JSON.stringify(exit),
        String(exit.cause)
      ]
      for (const text of printed) assert.notInclude(text, "planted")
      const reason = yield* unavailable(list).pipe(Effect.provide(on(emulator, credentials)))
      assert.strictEqual(reason.credential, "ClientSecretCredential")
      assert.strictEqual(reason.problem, "Failed")
      assert.include(reason.description, "AADSTS7000215")
      assert.isUndefined(reason.cause)
    }).pipe(Effect.provide(Network.layer))
  )

  it.live("of a chain has the reason of each of its members", () =>
    Effect.gen(function* () {
      const { emulator, network } = yield* begin
      yield* environment({ PATH: yield* folder, AZURE_TOKEN_CREDENTIALS: "dev" })
      const reason = yield* unavailable(list).pipe(
        Effect.provide(on(emulator, AzureCredentials.layerDefaultOptions({ cloud })))
      )
      assert.strictEqual(reason.credential, "DefaultAzureCredential")
      assert.strictEqual(reason.problem, "NotConfigured")
      const names = reason.passedOver.map(({ credential }) => credential)
      assert.includeMembers(names, ["AzureCliCredential", "AzureDeveloperCliCredential"])
      for (const { description, problem } of reason.passedOver) {
        assert.strictEqual(problem, "NotConfigured")
        assert.isNotEmpty(description)
        assert.include(reason.message, description)
      }
      assert.deepStrictEqual(network.refused, [])
    }).pipe(Effect.provide(Network.layer))
  )

  it.live("of a constructor is not a defect", () =>
    Effect.gen(function* () {
      const { emulator } = yield* begin
      yield* environment({})
      const reason = yield* unavailable(list).pipe(
        Effect.provide(on(emulator, AzureCredentials.layerWorkloadIdentityOptions({ cloud })))
      )
      assert.strictEqual(reason.credential, "WorkloadIdentityCredential")
      assert.strictEqual(reason.problem, "NotConfigured")
      assert.include(reason.description, "AZURE_CLIENT_ID")
    }).pipe(Effect.provide(Network.layer))
  )

  it.live.skipIf(isWindows)("of the Azure CLI does not repeat what it printed", () =>
    Effect.gen(function* () {
      const bin = yield* folder
      const { emulator } = yield* begin
      yield* Effect.promise(() => writeFile(join(bin, "az"), `#!/bin/sh\necho 'planted-token is no json'\n`))
      yield* Effect.promise(() => chmod(join(bin, "az"), 0o755))
      yield* environment({ PATH: `${bin}:/usr/bin:/bin` })
      const reason = yield* unavailable(list).pipe(
        Effect.provide(on(emulator, AzureCredentials.layerAzureCliOptions({ cloud })))
      )
      assert.strictEqual(reason.credential, "AzureCliCredential")
      assert.notInclude(inspect(reason, { depth: Infinity }), "planted")
    }).pipe(Effect.provide(Network.layer))
  )

  it.live("tries the next credential", () =>
    Effect.gen(function* () {
      const { emulator } = yield* begin
      yield* environment({ PATH: yield* folder })
      const credentials = AzureCredentials.layerAzureCliOptions({ cloud }).pipe(
        Credentials.orElse(Credentials.layerPassword(emulator.logins.adminUser))
      )
      assert.deepStrictEqual(yield* list.pipe(Effect.provide(on(emulator, credentials))), ["alpine"])
    }).pipe(Effect.provide(Network.layer))
  )
})
