/**
 * Certificates: of servers, which authorities sign, and of clients, for registries that want to know their clients by one.
 */
import { createPrivateKey } from "node:crypto"
import { createServer } from "node:https"
import { getCACertificates, setDefaultCACertificates, TLSSocket } from "node:tls"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Credentials from "@effect-acr/client/Credentials"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import * as RetryPolicy from "@effect-acr/client/RetryPolicy"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { generate } from "selfsigned"
import { connectProxy } from "../packages/node/test/support/connectProxy.ts"
import { isInstalled } from "./support/command.ts"
import * as Docker from "./support/dockerRegistry.ts"
import { pushImage } from "./support/dockerRegistryImage.ts"

const authority = await generate([{ name: "commonName", value: "an authority" }], {
  algorithm: "sha256",
  extensions: [
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", keyCertSign: true, digitalSignature: true, critical: true },
    { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }
  ]
})

const client = await generate([{ name: "commonName", value: "pusher" }], {
  algorithm: "sha256",
  ca: { key: authority.private, cert: authority.cert },
  extensions: [{ name: "extKeyUsage", clientAuth: true }]
})

const another = await generate([{ name: "commonName", value: "another" }], { algorithm: "sha256" })

const clientCertificate = { certificate: client.cert, key: Redacted.make(client.private) }

const passphrase = "planted-passphrase"
const encryptedKey = Redacted.make(
  createPrivateKey(client.private)
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase })
    .toString()
)

const build = (options: NodeRegistryHttpClient.Options) =>
  Effect.scoped(Layer.build(NodeRegistryHttpClient.layerOptions(options)))

const registry = (
  endpoint: string,
  options: NodeRegistryHttpClient.Options,
  more: Partial<RegistryContent.Options> = {}
) =>
  RegistryContent.layer({ endpoint, retry: RetryPolicy.never, ...more }).pipe(
    Layer.provide([Credentials.layerAnonymous, NodeRegistryHttpClient.layerOptions(options)])
  )

const clients = { authority: authority.cert, one: clientCertificate }

describe.runIf(isInstalled("docker-registry"))("a registry that lets in clients with a certificate alone", () => {
  const pushedAndPulled = Effect.gen(function* () {
    const content = yield* RegistryContent.RegistryContent
    const { blobs } = yield* pushImage("images/of-a-client", { tags: ["v1"] })
    yield* content.manifest("images/of-a-client", "v1")
    for (const { bytes, descriptor } of blobs) {
      assert.isTrue(Buffer.from(yield* content.blobBytes("images/of-a-client", descriptor)).equals(bytes))
    }
  }).pipe(Effect.provide(NodeFileSystem.layer))

  it.live("is pushed to and pulled from with one, also through a proxy, and not without", () =>
    Effect.gen(function* () {
      const { certificate, endpoint } = yield* Docker.DockerRegistry
      const options = { ca: certificate, clientCertificate }
      yield* Effect.provide(pushedAndPulled, registry(endpoint, options))

      const withPassphrase = { certificate: client.cert, key: encryptedKey, passphrase: Redacted.make(passphrase) }
      const encrypted = { ca: certificate, clientCertificate: withPassphrase }
      yield* Effect.provide(pushedAndPulled, registry(endpoint, encrypted))

      const proxy = yield* connectProxy()
      yield* Effect.provide(pushedAndPulled, registry(endpoint, { ...options, proxy: { url: proxy.host } }))
      assert.isNotEmpty(proxy.asked)

      const error = yield* Effect.flip(Effect.provide(pushedAndPulled, registry(endpoint, { ca: certificate })))
      assert.strictEqual(error._tag === "RegistryError" ? error.reason._tag : error._tag, "Unavailable")
    }).pipe(Effect.provide(Docker.layer({ access: "anonymous", relativeUrls: true, clients })))
  )
})

/** A server that wants to see a certificate, and whose each request had. It knows itself by one of the authority. */
const asking = (answer: (path: string) => { readonly location?: string }) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly port: number; readonly seen: Array<string>; readonly close: () => void }>((resume) => {
        const seen: Array<string> = []
        const server = createServer(
          {
            cert: authority.cert,
            key: authority.private,
            ca: authority.cert,
            requestCert: true,
            rejectUnauthorized: false
          },
          (request, response) => {
            const shown = request.socket instanceof TLSSocket ? request.socket.getPeerX509Certificate() : undefined
            seen.push(shown?.subject ?? "no certificate")
            const { location } = answer(request.url ?? "")
            response
              .writeHead(location === undefined ? 200 : 307, location === undefined ? {} : { location })
              .end("bytes")
          }
        )
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const close = () => {
            server.closeAllConnections()
            server.close()
          }
          resume(
            Effect.succeed({
              port: typeof address === "object" && address !== null ? address.port : 0,
              seen,
              close
            })
          )
        })
      }),
      ({ close }) => Effect.sync(close)
    ),
    ({ port, seen }) => ({ endpoint: `https://127.0.0.1:${port}`, seen })
  )

const download = Effect.flatMap(RegistryContent.RegistryContent, (content) =>
  Effect.flip(content.blobBytes("alpine", `sha256:${"0".repeat(64)}`))
)

describe("the certificate of a client", () => {
  it.live("is shown to the registry, and not where the registry leads", () =>
    Effect.gen(function* () {
      const storage = yield* asking(() => ({}))
      const { endpoint, seen } = yield* asking(() => ({ location: `${storage.endpoint}/blob` }))
      const options = { ca: authority.cert, clientCertificate }
      yield* Effect.provide(download, registry(endpoint, options))
      assert.deepStrictEqual([seen, storage.seen], [["CN=pusher"], ["no certificate"]])
      // Unless the user names the host.
      yield* Effect.provide(download, registry(endpoint, options, { allowedHosts: ["127.0.0.1"] }))
      assert.deepStrictEqual(storage.seen, ["no certificate", "CN=pusher"])
    })
  )

  it.live("is not shown to a proxy", () =>
    Effect.gen(function* () {
      const { endpoint, seen } = yield* asking(() => ({}))
      const shown: Array<string> = []
      const proxy = yield* connectProxy({
        tls: {
          cert: authority.cert,
          key: authority.private,
          ca: authority.cert,
          requestCert: true,
          rejectUnauthorized: false
        },
        onTunnel: ({ socket }) =>
          shown.push(
            socket instanceof TLSSocket ? (socket.getPeerX509Certificate()?.subject ?? "no certificate") : "plain"
          )
      })
      const options = { ca: authority.cert, clientCertificate, proxy: { url: `https://${proxy.host}` } }
      yield* Effect.provide(download, registry(endpoint, options))
      assert.deepStrictEqual([shown, seen], [["no certificate"], ["CN=pusher"]])
    })
  )

  const unfit: ReadonlyArray<readonly [string, NodeRegistryHttpClient.ClientCertificate]> = [
    ["of another key", { certificate: client.cert, key: Redacted.make(another.private) }],
    ["of which the key is none", { certificate: client.cert, key: Redacted.make("planted-key") }],
    ["that is none", { certificate: "planted-certificate", key: clientCertificate.key }],
    ["without a passphrase", { certificate: client.cert, key: encryptedKey }],
    [
      "with another passphrase",
      { certificate: client.cert, key: encryptedKey, passphrase: Redacted.make("planted-other") }
    ]
  ]
  for (const [name, certificate] of unfit) {
    it.live(`${name} is refused at once`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(build({ clientCertificate: certificate }))
        assert.strictEqual(error.reason._tag, "InvalidRequest")
        assert.include(error.message, "clientCertificate: ")
        assert.notInclude(error.message, "planted")
      })
    )
  }
})

describe("an authority", () => {
  it.live("is trusted besides those of Node, or instead of them", () =>
    Effect.gen(function* () {
      const { endpoint, seen } = yield* asking(() => ({}))
      const { cert } = another
      const outcome = (options: NodeRegistryHttpClient.Options) =>
        Effect.map(Effect.provide(download, registry(endpoint, options)), ({ reason }) => reason._tag)
      assert.strictEqual(yield* outcome({}), "Unavailable")
      assert.strictEqual(yield* outcome({ ca: cert }), "Unavailable")
      assert.deepStrictEqual(seen, [])
      assert.strictEqual(yield* outcome({ ca: authority.cert }), "ContentMismatch")
      assert.strictEqual(yield* outcome({ ca: [cert, authority.cert] }), "ContentMismatch")
      assert.strictEqual(yield* outcome({ caOnly: authority.cert }), "ContentMismatch")
      assert.strictEqual(yield* outcome({ ca: authority.cert, caOnly: cert }), "ContentMismatch")
      assert.strictEqual(yield* outcome({ caOnly: cert }), "Unavailable")

      // Node trusts it by itself.
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          const before = getCACertificates("default")
          setDefaultCACertificates([...before, authority.cert])
          return before
        }),
        (before) => Effect.sync(() => setDefaultCACertificates(before))
      )
      assert.strictEqual(yield* outcome({}), "ContentMismatch")
      assert.strictEqual(yield* outcome({ ca: cert }), "ContentMismatch")
      assert.strictEqual(yield* outcome({ caOnly: cert }), "Unavailable")
    })
  )

  it.live("that is none is refused at once", () =>
    Effect.gen(function* () {
      for (const options of [{ ca: "planted" }, { caOnly: [authority.cert, ""] }]) {
        const error = yield* Effect.flip(build(options))
        assert.strictEqual(error.reason._tag, "InvalidRequest")
        assert.include(error.message, `${Object.keys(options)[0]}: `)
        assert.notInclude(error.message, "planted")
      }
    })
  )
})
