#!/usr/bin/env node
/**
 * The emulator as a command.
 */
import { readFileSync } from "node:fs"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { AcrEmulator, layer } from "./AcrEmulator.ts"

/** Everyone who runs the emulator knows these. They open nothing but an emulator on this machine. */
const wellKnown = { username: "admin", password: "emulator", entraToken: "emulator-entra-token" }

const PackageJson = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

/** Beside the folder of this file, whether it is the source or what was built of it. */
const { version } = Schema.decodeSync(PackageJson)(readFileSync(new URL("../package.json", import.meta.url), "utf8"))

const flags = {
  port: Flag.Int("port").pipe(
    Flag.withDescription("The port to listen on; 0 for any that is free"),
    Flag.withDefault(5001)
  ),
  host: Flag.String("host").pipe(Flag.withDescription("The address to listen on"), Flag.withDefault("127.0.0.1")),
  https: Flag.Boolean("https").pipe(
    Flag.withDescription("Speak https, with a certificate made on start"),
    Flag.withDefault(false)
  ),
  anonymous: Flag.Boolean("anonymous").pipe(
    Flag.withDescription("Let everyone list and pull"),
    Flag.withDefault(false)
  ),
  directBlobs: Flag.Boolean("direct-blobs").pipe(
    Flag.withDescription("Serve blobs instead of redirecting to a second port"),
    Flag.withDefault(false)
  ),
  directory: Flag.String("directory").pipe(
    Flag.withDescription("The folder to keep the registry in; without it, it is gone with the emulator"),
    Flag.optional
  )
}

const instructions = AcrEmulator.use(({ endpoint, loginServer }) =>
  Console.log(`Azure Container Registry emulator at ${endpoint}

  docker login ${loginServer} -u ${wellKnown.username} -p ${wellKnown.password}
  skopeo login --tls-verify=false ${loginServer} -u ${wellKnown.username} -p ${wellKnown.password}

  REGISTRY_ENDPOINT=${endpoint} with the Entra token "${wellKnown.entraToken}"

Press Ctrl-C to stop.`)
)

const serve = Command.make("acr-emulator", flags, ({ anonymous, directBlobs, directory, host, https, port }) =>
  Effect.andThen(instructions, Effect.never).pipe(
    Effect.provide(
      layer({
        port,
        host,
        https,
        anonymousPull: anonymous,
        blobs: directBlobs ? "direct" : "redirect",
        ...(Option.isSome(directory) ? { directory: directory.value } : {}),
        adminUser: { username: wellKnown.username, password: Redacted.make(wellKnown.password) },
        entraToken: Redacted.make(wellKnown.entraToken)
      })
    ),
    Effect.scoped
  )
).pipe(Command.withDescription("Serves an Azure Container Registry emulator until it is stopped"))

Command.run(serve, { version }).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
