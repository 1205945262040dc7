/**
 * Clients of emulated registries.
 */
import * as Credentials from "@effect-acr/client/Credentials"
import * as Registries from "@effect-acr/client/Registries"
import type * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

export const adminUser = { username: "contoso", password: Redacted.make("a-password") }

/** Registries of tests, with the login of both. */
export const registriesOf = (...emulators: ReadonlyArray<Pick<AcrEmulator.Service, "endpoint" | "loginServer">>) =>
  Registries.layerOptions({
    registries: Object.fromEntries(emulators.map(({ endpoint, loginServer }) => [loginServer, { endpoint }]))
  }).pipe(
    Layer.provide([
      Credentials.layerPassword(adminUser).pipe(
        // Reached by way of another port, an emulator names itself by that one.
        Credentials.onlyFor(
          emulators.flatMap(({ endpoint, loginServer }) => [...new Set([loginServer, new URL(endpoint).host])])
        )
      ),
      NodeRegistryHttpClient.layer
    ])
  )
