/**
 * The registries against which tests run other clients beside ours: over TLS, and with a login where they want one.
 */
import type * as RegistryContent from "@effect-acr/client/RegistryContent"
import type * as Transport from "@effect-acr/client/Transport"
import { AcrEmulator } from "@effect-acr/emulator"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Docker from "./dockerRegistry.ts"
import { emulated } from "./emulator.ts"
import type * as Tools from "./tools.ts"

/** The registry of a test, as other clients need to know it. `toolFor` takes it. */
export class Running extends Context.Service<Running, Tools.Registry>()("@effect-acr/test/Running") {}

const adminUser = { username: "contoso", password: Redacted.make("a-password") }

const emulator = (options: AcrEmulator.Options) =>
  Layer.effect(
    Running,
    AcrEmulator.AcrEmulator.useSync(({ certificate, loginServer }) => ({
      loginServer,
      certificate: Option.getOrThrow(certificate),
      login: adminUser
    }))
  ).pipe(Layer.provideMerge(emulated({ ...options, https: true, adminUser })))

const docker = (options: Docker.Options) =>
  Layer.effect(
    Running,
    Docker.DockerRegistry.useSync(({ certificate, loginServer }) => ({
      loginServer,
      certificate,
      login: options.access === "anonymous" ? undefined : Docker.login
    }))
  ).pipe(Layer.provideMerge(Docker.layerContent()), Layer.provideMerge(Docker.layer(options)))

/** A registry that starts with the layer, and our client of it. */
interface Registry {
  readonly name: string
  /** Whether its program is there. */
  readonly isThere: boolean
  /** Whether it has the referrers API. Clients keep a tag of the referrers otherwise. */
  readonly hasReferrersApi: boolean
  /** Whether downloads of blobs lead to another port of the same host. */
  readonly redirectsBlobs: boolean
  readonly layer: Layer.Layer<
    Running | RegistryContent.RegistryContent | Transport.Transport,
    Layer.Error<ReturnType<typeof emulator> | ReturnType<typeof docker>>
  >
}

export const registries: ReadonlyArray<Registry> = [
  { name: "the emulator", isThere: true, hasReferrersApi: true, redirectsBlobs: true, layer: emulator({}) },
  {
    name: "the emulator without the referrers API",
    isThere: true,
    hasReferrersApi: false,
    redirectsBlobs: false,
    layer: emulator({ referrers: { api: false }, blobs: "direct" })
  },
  {
    name: "docker-registry",
    isThere: Docker.isThere("installed"),
    hasReferrersApi: false,
    redirectsBlobs: false,
    layer: docker({ access: "anonymous", relativeUrls: false })
  },
  {
    name: "distribution v3",
    isThere: Docker.isThere("3"),
    hasReferrersApi: false,
    redirectsBlobs: false,
    // Not with tokens: crane refuses a token service on this machine, unless it is the registry itself.
    layer: docker({ version: "3", access: "htpasswd", relativeUrls: false })
  }
]
