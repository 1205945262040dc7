/**
 * An image is pushed and pulled by way of a proxy: by name, over TLS inside the tunnel, and to a proxy that speaks TLS.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Manifest from "@effect-acr/client/Manifest"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import { AcrEmulator } from "@effect-acr/emulator"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { generate } from "selfsigned"
import { connectProxy } from "../packages/node/test/support/connectProxy.ts"
import { resolving } from "../packages/node/test/support/resolver.ts"

const bytes = new Uint8Array(3_000_000).map((_, index) => index * 31)

/** Pushes an image of one layer, and pulls it. */
const pushAndPull = Effect.gen(function* () {
  const content = yield* RegistryContent.RegistryContent
  const config = yield* content.uploadBlob("samples/hello", BlobSource.fromString("{}"))
  const layer = yield* content.uploadBlob("samples/hello", BlobSource.fromBytes(bytes))
  yield* content.putManifest("samples/hello", Manifest.image({ config, layers: [layer] }), { tag: "latest" })
  const { manifest } = yield* content.manifest("samples/hello", "latest")
  assert.strictEqual(manifest._tag, "ImageManifest")
  const pulled = yield* content.blobBytes("samples/hello", layer.digest)
  assert.strictEqual(Buffer.compare(pulled, bytes), 0)
})

/** The client of an emulator, by an HTTP client and under a name. */
const registry = (
  { endpoint, logins }: AcrEmulator.Service,
  client: typeof NodeRegistryHttpClient.layer,
  name = endpoint
) =>
  RegistryContent.layer({ endpoint: name, allowInsecureHttp: true }).pipe(
    Layer.provide([Credentials.layerPassword(logins.adminUser), client])
  )

const portOf = ({ endpoint }: AcrEmulator.Service): number => Number(new URL(endpoint).port)

/** A certificate of the proxy, for an address. */
const certificateFor = (ip: string) =>
  Effect.map(
    Effect.promise(() =>
      generate([{ name: "commonName", value: "proxy" }], {
        algorithm: "sha256",
        extensions: [
          { name: "basicConstraints", cA: true, critical: true },
          { name: "subjectAltName", altNames: [{ type: 7, ip }] }
        ]
      })
    ),
    ({ cert, private: key }) => ({ cert, key })
  )

describe("a push and a pull", () => {
  it.live("go through the proxy of the environment, which alone knows the registry's name", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.make({ blobs: "direct" })
      const proxy = yield* connectProxy({ leadsTo: portOf(emulator) })
      yield* resolving({})
      const env = { HTTP_PROXY: `http://planted-user:planted-word@${proxy.host}` }
      const client = NodeRegistryHttpClient.layer.pipe(
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
      )
      yield* Effect.provide(pushAndPull, registry(emulator, client, "http://registry.example"))
      assert.isNotEmpty(proxy.asked)
      assert.deepStrictEqual([...new Set(proxy.asked)], ["registry.example:80"])
      assert.deepStrictEqual(proxy.others, [])
      assert.include(proxy.sent(), "PUT /v2/samples/hello/manifests/latest HTTP/1.1")
      assert.notMatch(proxy.sent(), /proxy-|planted/i)
    })
  )

  it.live("go over TLS inside the tunnels, one for each server", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.make({ https: true })
      const proxy = yield* connectProxy()
      const ca = Option.getOrElse(emulator.certificate, () => "")
      const client = NodeRegistryHttpClient.layerOptions({ ca, proxy: { url: proxy.host } })
      yield* Effect.provide(pushAndPull, registry(emulator, client))
      // The storage to which the registry redirects is another server.
      const servers = new Set(proxy.asked)
      assert.strictEqual(servers.size, 2)
      assert.isTrue(servers.has(new URL(emulator.endpoint).host))
      assert.notInclude(proxy.sent(), "samples/hello")
    })
  )

  it.live("end where the certificate inside the tunnel is not the registry's", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.make({ https: true })
      const proxy = yield* connectProxy({ leadsTo: portOf(emulator) })
      yield* resolving({})
      const ca = Option.toArray(emulator.certificate)
      const client = NodeRegistryHttpClient.layerOptions({ ca, proxy: { url: proxy.host } })
      const error = yield* Effect.flip(
        Effect.provide(pushAndPull, registry(emulator, client, "https://registry.example"))
      )
      assert.include(error.message, "registry.example. is not in the cert's altnames")
      assert.isFalse(error.isRetryable)
      assert.deepStrictEqual(proxy.asked, ["registry.example:443"])
    })
  )

  it.live("go through a proxy that speaks TLS itself", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.make({ https: true })
      const tls = yield* certificateFor("127.0.0.1")
      const proxy = yield* connectProxy({ tls })
      const ca = [...Option.toArray(emulator.certificate), tls.cert]
      const url = Redacted.make(`https://planted-user:planted-word@${proxy.host}`)
      const client = NodeRegistryHttpClient.layerOptions({ ca, proxy: { url } })
      yield* Effect.provide(pushAndPull, registry(emulator, client))
      assert.isNotEmpty(proxy.asked)
      const login = `Basic ${Buffer.from("planted-user:planted-word").toString("base64")}`
      assert.deepStrictEqual([...new Set(proxy.logins)], [login])
    })
  )

  it.live("end where the proxy's certificate is for another name", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.make({ https: true })
      const tls = yield* certificateFor("127.0.0.2")
      const proxy = yield* connectProxy({ tls })
      const ca = [...Option.toArray(emulator.certificate), tls.cert]
      const client = NodeRegistryHttpClient.layerOptions({ ca, proxy: { url: `https://${proxy.host}` } })
      const error = yield* Effect.flip(Effect.provide(pushAndPull, registry(emulator, client)))
      assert.include(error.message, `the certificate of the proxy ${proxy.host} is not for that name`)
      assert.isFalse(error.isRetryable)
      assert.deepStrictEqual(proxy.asked, [])
    })
  )

  it.live("end where the proxy's certificate is not trusted, with an error that names the proxy", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.make({ https: true })
      const proxy = yield* connectProxy({ tls: yield* certificateFor("127.0.0.1") })
      const client = NodeRegistryHttpClient.layerOptions({
        ca: Option.toArray(emulator.certificate),
        proxy: { url: `https://${proxy.host}` }
      })
      const error = yield* Effect.flip(Effect.provide(pushAndPull, registry(emulator, client)))
      assert.include(error.message, `the proxy ${proxy.host} can't be reached: self-signed certificate`)
      assert.isFalse(error.isRetryable)
      assert.deepStrictEqual(proxy.asked, [])
    })
  )
})
