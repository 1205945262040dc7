#!/usr/bin/env node
/**
 * The emulator as a command.
 */
import { readFileSync } from "node:fs"
import * as Reference from "@effect-acr/client/Reference"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { AcrEmulator, layer } from "./AcrEmulator.ts"
import type { SeedImage } from "./SeedImage.ts"

/** Everyone who runs the emulator knows these. They open nothing but an emulator on this machine. */
const wellKnown = { username: "admin", password: "emulator", entraToken: "emulator-entra-token" }

/** The port is taken, or the folder cannot be used: said in a line, for which no stack of causes is needed. */
class CannotStart extends Data.TaggedError("CannotStart") {
  override readonly [Runtime.errorReported] = false
}

/** An image to begin with, as `library/alpine:3.20`: a reference without its registry. */
const parseImage = (text: string): Option.Option<SeedImage> =>
  Option.flatMap(Result.getSuccess(Reference.parse(`localhost/${text}`)), ({ repository, tag }) =>
    tag === undefined ? Option.none() : Option.some({ repository, tags: [tag] })
  )

const decodeDuration = Schema.decodeOption(Schema.DurationFromString)

/** A time that ends, as `7 days`. */
const parseRetention = (text: string): Option.Option<Duration.Duration> =>
  Option.filter(decodeDuration(text), (time) => Duration.isFinite(time) && Duration.isGreaterThan(time, Duration.zero))

const PackageJson = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

/** Beside the folder of this file, whether it is the source or what was built of it. */
const { version } = Schema.decodeSync(PackageJson)(readFileSync(new URL("../package.json", import.meta.url), "utf8"))

const flags = {
  port: Flag.Int("port").pipe(
    Flag.withDescription("The port to listen on; 0 for any that is free"),
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))),
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
    Flag.withDescription(
      "Serve blobs instead of redirecting to a second host, as on hosts other than 127.0.0.1 and localhost"
    ),
    Flag.withDefault(false)
  ),
  referrersApi: Flag.Boolean("referrers-api").pipe(
    Flag.withDescription("Serve the referrers API; --no-referrers-api for a registry that lacks it"),
    Flag.withDefault(true)
  ),
  softDelete: Flag.String("soft-delete").pipe(
    Flag.withDescription('Keep what is deleted in a trash for so long, as "7 days"; without it, deletions are final'),
    Flag.filterMap(parseRetention, (text) => `Expected a time above zero as "7 days", got ${text}`),
    Flag.optional
  ),
  abac: Flag.Boolean("abac").pipe(
    Flag.withDescription("Grant rights by repository, as registries with attribute-based access control do"),
    Flag.withDefault(false)
  ),
  tier: Flag.Literals("tier", ["basic", "standard", "premium"]).pipe(
    Flag.withDescription("Limit requests as a registry of this tier does"),
    Flag.optional
  ),
  directory: Flag.String("directory").pipe(
    Flag.withDescription("The folder to keep the registry in; without it, it is gone with the emulator"),
    Flag.optional
  ),
  seed: Flag.String("seed").pipe(
    Flag.withDescription("A small image to begin with, as library/alpine:3.20; give it again for more"),
    Flag.filterMap(parseImage, (text) => `Expected an image as library/alpine:3.20, got ${text}`),
    Flag.atLeast(0)
  )
}

const instructions = Effect.gen(function* () {
  const { endpoint, loginServer, modes } = yield* AcrEmulator
  const { blobs } = yield* modes
  yield* Console.log(`Azure Container Registry emulator at ${endpoint}
${blobs === "direct" ? "It serves blobs itself: there is no redirect to a storage.\n" : ""}
  docker login ${loginServer} -u ${wellKnown.username} -p ${wellKnown.password}
  skopeo login --tls-verify=false ${loginServer} -u ${wellKnown.username} -p ${wellKnown.password}

  export REGISTRY_ENDPOINT=${endpoint} REGISTRY_USERNAME=${wellKnown.username} REGISTRY_PASSWORD=${wellKnown.password}

The token of Entra ID that it takes is "${wellKnown.entraToken}".

Press Ctrl-C to stop.`)
})

const cannotStart = (problem: string) =>
  Effect.andThen(Console.error(`acr-emulator cannot start: ${problem}`), Effect.fail(new CannotStart()))

/** Why nothing can listen there. */
const cannotListen = ({ cause }: { readonly cause: unknown }) => {
  const problem = cause instanceof Error ? cause.message : String(cause)
  return cannotStart(problem.includes("EADDRINUSE") ? `${problem}; --port 0 takes one that is free` : problem)
}

const serve = Command.make(
  "acr-emulator",
  flags,
  ({ abac, anonymous, directBlobs, directory, host, https, port, referrersApi, seed, softDelete, tier }) =>
    AcrEmulator.use((emulator) => Effect.forEach(seed, emulator.seed, { discard: true })).pipe(
      Effect.andThen(instructions),
      Effect.andThen(Effect.never),
      Effect.provide(
        layer({
          port,
          host,
          https,
          anonymousPull: anonymous,
          blobs: directBlobs ? "direct" : "redirect",
          referrers: { api: referrersApi },
          ...(Option.isSome(softDelete) ? { softDelete: { retention: softDelete.value } } : {}),
          roleAssignmentMode: abac ? "rbac-abac" : "rbac",
          ...(Option.isSome(tier) ? { tier: tier.value } : {}),
          ...(Option.isSome(directory) ? { directory: directory.value } : {}),
          adminUser: { username: wellKnown.username, password: Redacted.make(wellKnown.password) },
          entraToken: Redacted.make(wellKnown.entraToken)
        })
      ),
      Effect.scoped,
      Effect.catchTags({ ServeError: cannotListen, DirectoryError: ({ message }) => cannotStart(message) })
    )
).pipe(Command.withDescription("Serves an Azure Container Registry emulator until it is stopped"))

Command.run(serve, { version }).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
