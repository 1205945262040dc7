/**
 * National clouds: the requests that the servers of each cloud receive, and the ones that are never sent.
 */
import { ContainerRegistry, layer } from "@effect-acr/client/ContainerRegistry"
import { never } from "@effect-acr/client/RetryPolicy"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { AzureCloud, AzureCredentials } from "../src/index.ts"
import * as Entra from "./support/entra.ts"
import * as Network from "./support/network.ts"
import { type Answer, type Asked, listen } from "./support/server.ts"

const { client: clientId, tenant: tenantId } = Entra

/** The parts of a registry that listing its repositories needs. */
const registry = ({ headers, host, path }: Asked): Answer => {
  switch (path) {
    case "/oauth2/exchange":
      return { status: 200, json: { refresh_token: "refresh" } }
    case "/oauth2/token":
      return { status: 200, json: { access_token: "access" } }
    default:
      return headers.authorization === undefined
        ? {
            status: 401,
            headers: {
              "WWW-Authenticate": `Bearer realm="https://${host}/oauth2/token",service="${host}",scope="registry:catalog:*"`
            }
          }
        : { status: 200, json: { repositories: ["alpine"] } }
  }
}

/** Lists the repositories of a registry as a service principal. Returns the requests to Entra ID and the registry. */
const listAt = (
  place: { readonly loginServer: string; readonly authority: string },
  options: AzureCredentials.Options,
  variables: { readonly [name: string]: string } = {}
) =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const entra = yield* Entra.make
    const acr = yield* listen(registry)
    network.lead(place.authority, entra)
    network.lead(place.loginServer, acr)
    const credentials = AzureCredentials.layerClientSecret({
      ...options,
      tenantId,
      clientId,
      clientSecret: Redacted.make("planted-client-secret")
    })
    const outcome = yield* Effect.flatMap(ContainerRegistry, (service) =>
      Stream.runCollect(service.repositories())
    ).pipe(
      Effect.result,
      Effect.provide(
        layer({ endpoint: place.loginServer, retry: never }).pipe(
          Layer.provide([credentials, NodeRegistryHttpClient.layer]),
          Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: variables })))
        )
      )
    )
    return { outcome, entra, acr, network }
  })

const clouds = [
  {
    cloud: AzureCloud.publicCloud,
    authority: "login.microsoftonline.com",
    audience: "https://containerregistry.azure.net",
    loginServer: "myregistry.azurecr.io"
  },
  {
    cloud: AzureCloud.china,
    // The common library of the Azure SDKs uses the newer name of China's authority.
    authority: "login.partner.microsoftonline.cn",
    audience: "https://management.chinacloudapi.cn",
    loginServer: "myregistry.azurecr.cn"
  },
  {
    cloud: AzureCloud.usGovernment,
    authority: "login.microsoftonline.us",
    audience: "https://management.usgovcloudapi.net",
    loginServer: "myregistry.azurecr.us"
  },
  {
    cloud: AzureCloud.custom({
      authorityHost: "https://login.contoso.example",
      audience: "https://registry.contoso.example",
      loginServers: [".registry.contoso.example"]
    }),
    authority: "login.contoso.example",
    audience: "https://registry.contoso.example",
    loginServer: "team.registry.contoso.example"
  }
]

describe("on the wire", () => {
  for (const { audience, authority, cloud, loginServer } of clouds) {
    it.live(`${cloud.name} issues a token at ${authority}, which is exchanged at ${loginServer}`, () =>
      Effect.gen(function* () {
        const { acr, entra, network, outcome } = yield* listAt({ loginServer, authority }, { cloud })
        assert.deepStrictEqual(outcome._tag, "Success")

        const [token, ...more] = entra.tokenRequests()
        assert.deepStrictEqual(more, [])
        assert.strictEqual(token?.host, authority)
        assert.strictEqual(token?.path, `/${tenantId}/oauth2/v2.0/token`)
        assert.strictEqual(token?.form["grant_type"], "client_credentials")
        assert.strictEqual((token?.form["scope"] ?? "").split(" ")[0], `${audience}/.default`)

        const [exchange] = acr.asked.filter(({ path }) => path === "/oauth2/exchange")
        assert.strictEqual(exchange?.host, loginServer)
        assert.deepStrictEqual(
          { ...exchange?.form, access_token: "" },
          {
            grant_type: "access_token",
            service: loginServer,
            access_token: ""
          }
        )
        assert.isTrue(entra.issued(Redacted.make(exchange?.form["access_token"] ?? "")))

        // No other server received a request.
        assert.sameMembers(Array.from(new Set(network.names)), [authority, loginServer])
        assert.deepStrictEqual(network.refused, [])
      }).pipe(Effect.provide(Network.layer))
    )
  }
})

describe("AZURE_AUTHORITY_HOST", () => {
  for (const [written, authority, loginServer] of [
    ["https://login.chinacloudapi.cn", "login.partner.microsoftonline.cn", "myregistry.azurecr.cn"],
    ["https://login.partner.microsoftonline.cn", "login.partner.microsoftonline.cn", "myregistry.azurecr.cn"],
    ["https://login.microsoftonline.us/", "login.microsoftonline.us", "myregistry.azurecr.us"],
    ["login.microsoftonline.com", "login.microsoftonline.com", "myregistry.azurecr.io"],
    ["https://login.contoso.example", "login.contoso.example", "myregistry.azurecr.io"]
  ] as const) {
    it.live(`${written} says which cloud is meant`, () =>
      Effect.gen(function* () {
        const { entra, network, outcome } = yield* listAt(
          { loginServer, authority },
          {},
          { AZURE_AUTHORITY_HOST: written }
        )
        assert.strictEqual(outcome._tag, "Success")
        assert.strictEqual(entra.tokenRequests()[0]?.host, authority)
        assert.deepStrictEqual(network.refused, [])
      }).pipe(Effect.provide(Network.layer))
    )
  }

  it.live("counts for less than what the program says", () =>
    Effect.gen(function* () {
      const { entra, outcome } = yield* listAt(
        { loginServer: "myregistry.azurecr.io", authority: "login.microsoftonline.com" },
        { cloud: AzureCloud.publicCloud },
        { AZURE_AUTHORITY_HOST: "https://login.chinacloudapi.cn" }
      )
      assert.strictEqual(outcome._tag, "Success")
      assert.lengthOf(entra.tokenRequests(), 1)
    }).pipe(Effect.provide(Network.layer))
  )
})

describe("a registry that is not of the cloud", () => {
  for (const [loginServer, advice] of [
    ["myregistry.azurecr.cn", "AZURE_AUTHORITY_HOST to https://login.chinacloudapi.cn"],
    ["myregistry.azurecr.us", "it belongs to AzureUSGovernment"],
    ["myregistry.azurecr.io.evil.example", "a custom one with this login server"],
    ["evilazurecr.io", "a custom one with this login server"]
  ] as const) {
    it.live(`${loginServer} receives no token, and none is requested`, () =>
      Effect.gen(function* () {
        const { acr, entra, outcome } = yield* listAt({ loginServer, authority: "login.microsoftonline.com" }, {})
        if (outcome._tag === "Success") return assert.fail("it received a token")
        const { reason } = outcome.failure
        assert.strictEqual(reason._tag, "CredentialUnavailable")
        assert.include(reason.message, `${loginServer} is not a registry of AzureCloud (.azurecr.io)`)
        assert.include(reason.message, advice)
        assert.lengthOf(entra.asked, 0)
        assert.deepStrictEqual(
          acr.asked.map(({ path }) => path),
          ["/acr/v1/_catalog"]
        )
      }).pipe(Effect.provide(Network.layer))
    )
  }
})

describe("a cloud", () => {
  it.each([
    ["AzureCloud", AzureCloud.publicCloud],
    ["AzureChinaCloud", AzureCloud.china],
    ["AzureUSGovernment", AzureCloud.usGovernment],
    ["https://login.microsoftonline.us", AzureCloud.usGovernment],
    ["login.chinacloudapi.cn/", AzureCloud.china],
    ["https://login.contoso.example", undefined],
    ["", undefined]
  ] as const)("of %j is found", (name, cloud) => {
    assert.strictEqual(AzureCloud.find(name), cloud)
  })

  it.each([
    ["myregistry.azurecr.io", true],
    ["myregistry.azurecr.io:443", true],
    ["MyRegistry.AzureCR.io", true],
    ["myregistry.westeurope.geo.azurecr.io", true],
    ["azurecr.io", false],
    ["registry.contoso.com", false]
  ] as const)("holds %s: %s", (loginServer, expected) => {
    assert.strictEqual(AzureCloud.holds(AzureCloud.publicCloud, loginServer), expected)
  })

  it("that is custom includes a whole host", () => {
    const cloud = AzureCloud.custom({ ...AzureCloud.publicCloud, loginServers: ["registry.contoso.com"] })
    assert.isTrue(AzureCloud.holds(cloud, "registry.contoso.com"))
    assert.isFalse(AzureCloud.holds(cloud, "evil.registry.contoso.com"))
  })
})
