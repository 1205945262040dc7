/**
 * docker-registry, the reference implementation of OCI distribution, as a process of its own: over TLS, with one of the
 * ways in which it lets its callers in. It is the version that the machine has installed, or version 3.
 */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Credentials from "@effect-acr/client/Credentials"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type * as Transport from "@effect-acr/client/Transport"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as HttpClient from "effect/http/HttpClient"
import { generate } from "selfsigned"
import { isInstalled, service, temporaryFolder } from "./command.ts"
import { freePort } from "./freePort.ts"
import { agreed, type Certificate, type Login, serveTokens, type TokenService } from "./dockerRegistryTokens.ts"
import * as Tools from "./tools.ts"

/** Which kind of registry to be. */
export interface Options {
  /** Which version: Debian's and Ubuntu's `docker-registry`, which is the default, or the tool `registry`. */
  readonly version?: "installed" | "3"
  readonly access: "anonymous" | "htpasswd" | "token"
  /** Whether the addresses that it names are paths alone. */
  readonly relativeUrls: boolean
  /** Whether it speaks http. Defaults to `false`: it speaks https. */
  readonly plainHttp?: boolean
  /** A token service that is there already, in place of `access`. The certificate is in PEM. */
  readonly tokensFrom?: {
    readonly realm: string
    readonly service: string
    readonly issuer: string
    readonly certificate: string
  }
  /** Whose clients it lets in, and one of them: without a certificate of this authority there is no connection. */
  readonly clients?: {
    /** The authority, in PEM. */
    readonly authority: string
    readonly one: NodeRegistryHttpClient.ClientCertificate
  }
}

/** The login of a registry that wants one. A password is UTF-8 on the wire. */
export const login: Login = { username: "pusher", password: Redacted.make("a password with ünïcode") }

/** The same for the registry: bcrypt at its least cost, because the registry checks it for each request. */
const htpasswd = "pusher:$2b$05$HAyJRzpWmjRHE6b86bxEdeO0lPxh8x9lr1ENHqYU5NnBq0FbWZzqa\n"

/** A registry that ended before it answered. */
class NotStarted extends Data.TaggedError("NotStarted")<{ readonly command: string; readonly stderr: string }> {
  override get message(): string {
    return `${this.command} ended: ${this.stderr}`
  }
}

/** A running registry. */
export class DockerRegistry extends Context.Service<
  DockerRegistry,
  {
    readonly endpoint: string
    readonly loginServer: string
    readonly options: Options
    /** The certificate to trust, in PEM. */
    readonly certificate: string
    /** The folder in which it keeps everything. */
    readonly storage: string
    /** Where it sends its callers for tokens, if it wants any. */
    readonly tokens: TokenService | undefined
  }
>()("@effect-acr/test/DockerRegistry") {}

/** Its own authority, for this machine. An RSA key, because it signs tokens as well. */
const makeCertificate: Effect.Effect<Certificate> = Effect.map(
  Effect.promise(() =>
    generate([{ name: "commonName", value: "localhost" }], {
      keyType: "rsa",
      keySize: 2048,
      algorithm: "sha256",
      extensions: [
        { name: "basicConstraints", cA: true, critical: true },
        { name: "keyUsage", digitalSignature: true, keyCertSign: true, critical: true },
        { name: "extKeyUsage", serverAuth: true },
        { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }
      ]
    })
  ),
  ({ cert, private: key }) => ({ cert, key })
)

/** The process, until the scope closes. */
const startProcess = (command: string, configuration: string) =>
  service(command, ["serve", configuration], {
    // Version 3 would send its traces to a collector on this machine.
    env: { PATH: process.env["PATH"], OTEL_TRACES_EXPORTER: "none" }
  })

/** Any answer will do: it may ask for a login. */
const answers = Effect.fnUntraced(function* (endpoint: string, ca: string, clients: Options["clients"]) {
  yield* HttpClient.get(`${endpoint}/v2/`).pipe(
    Effect.retry(Schedule.spaced("20 millis")),
    Effect.scoped,
    Effect.provide(
      NodeRegistryHttpClient.layerOptions({ ca, ...(clients === undefined ? {} : { clientCertificate: clients.one }) })
    )
  )
})

const make = Effect.fnUntraced(function* (options: Options) {
  const command = options.version === "3" ? yield* Tools.commandOf("registry") : "docker-registry"
  const folder = yield* temporaryFolder
  const certificate = yield* makeCertificate
  const tokens = options.access === "token" ? yield* serveTokens(certificate, login) : undefined
  const file = (name: string) => join(folder, name)
  const storage = file("storage")
  const scheme = options.plainHttp === true ? "http" : "https"

  yield* Effect.promise(async () => {
    await mkdir(storage)
    await writeFile(file("certificate.pem"), certificate.cert)
    await writeFile(file("key.pem"), certificate.key)
    await writeFile(file("htpasswd"), htpasswd)
  })
  const { clients, tokensFrom } = options
  if (clients !== undefined) yield* Effect.promise(() => writeFile(file("clients.pem"), clients.authority))
  if (tokensFrom !== undefined) yield* Effect.promise(() => writeFile(file("tokens.pem"), tokensFrom.certificate))
  const auth =
    tokensFrom !== undefined
      ? {
          token: {
            realm: tokensFrom.realm,
            service: tokensFrom.service,
            issuer: tokensFrom.issuer,
            rootcertbundle: file("tokens.pem")
          }
        }
      : tokens !== undefined
        ? { token: { ...agreed, realm: tokens.realm, rootcertbundle: file("certificate.pem") } }
        : options.access === "htpasswd"
          ? { htpasswd: { realm: "a registry", path: file("htpasswd") } }
          : undefined

  /** Another program may take the port before the registry does, which ends then. */
  const port = yield* Effect.gen(function* () {
    const port = yield* freePort
    // JSON is YAML too.
    const configuration = JSON.stringify({
      version: "0.1",
      log: { level: "warn", accesslog: { disabled: true } },
      storage: {
        filesystem: { rootdirectory: storage },
        delete: { enabled: true },
        maintenance: { uploadpurging: { enabled: false } }
      },
      http: {
        addr: `127.0.0.1:${port}`,
        relativeurls: options.relativeUrls,
        secret: "of one process alone",
        ...(scheme === "http"
          ? {}
          : {
              tls: {
                certificate: file("certificate.pem"),
                key: file("key.pem"),
                ...(clients === undefined ? {} : { clientcas: [file("clients.pem")] })
              }
            })
      },
      auth
    })
    yield* Effect.promise(() => writeFile(file("config.yml"), configuration))
    const { ended } = yield* startProcess(command, file("config.yml"))
    yield* Effect.raceFirst(
      answers(`${scheme}://127.0.0.1:${port}`, certificate.cert, clients),
      Effect.flatMap(
        Effect.promise(() => ended),
        (stderr) => new NotStarted({ command, stderr })
      )
    )
    return port
  }).pipe(Effect.retry({ times: 2 }))

  const loginServer = `127.0.0.1:${port}`
  return DockerRegistry.of({
    endpoint: `${scheme}://${loginServer}`,
    loginServer,
    options,
    certificate: certificate.cert,
    storage,
    tokens
  })
})

/** Whether the program of a version is there: `describe.runIf(isThere("3"))`. */
export const isThere = (version: "installed" | "3"): boolean =>
  version === "3" ? Tools.isThere("registry") : isInstalled("docker-registry")

/** A registry that stops, and leaves nothing behind, when the layer's scope closes. */
export const layer = (options: Options) => Layer.effect(DockerRegistry, make(options))

/** The client as the registry wants it: logged in, and trusting its token service; or otherwise, as given. */
export const layerContent = (
  client: {
    readonly credentials?: Layer.Layer<Credentials.Credentials>
    readonly trustedRealms?: ReadonlyArray<string>
  } = {}
): Layer.Layer<RegistryContent.RegistryContent | Transport.Transport, RegistryError, DockerRegistry> =>
  Layer.unwrap(
    DockerRegistry.useSync(({ certificate, endpoint, options, tokens }) => {
      const credentials = options.access === "anonymous" ? Credentials.layerAnonymous : Credentials.layerPassword(login)
      return RegistryContent.layer({
        endpoint,
        trustedRealms: client.trustedRealms ?? (tokens === undefined ? [] : [tokens.origin])
      }).pipe(
        Layer.provide(client.credentials ?? credentials),
        Layer.provide(NodeRegistryHttpClient.layerOptions({ ca: certificate }))
      )
    })
  )
