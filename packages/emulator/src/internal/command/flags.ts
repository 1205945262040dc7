/**
 * The flags of the command. Each of them overrides a setting of the configuration file.
 */
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { SeedContents } from "../../SeedImage.ts"
import * as ConfigFile from "./configFile.ts"
import { Period } from "../period.ts"
import { CannotStart } from "./problem.ts"
import { defaultPort, Host, Image, logs, Port, type Settings, tiers } from "./settings.ts"

/** The change of the settings by a flag. */
type Change = (settings: Settings) => Settings

const keep: Change = (settings) => settings

/** A flag that changes a setting if it is present. */
const changing = <A>(flag: Flag.Flag<A>, description: string, change: (value: A) => Change): Flag.Flag<Change> =>
  flag.pipe(
    Flag.withDescription(description),
    Flag.optional,
    Flag.map(Option.match({ onNone: () => keep, onSome: change }))
  )

/** A text of at least one character: an empty address means all addresses, and an empty folder the current one. */
const text = (name: string, metavar: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withSchema(Schema.NonEmptyString))

/** The settings of the control API, to which a flag adds one. */
const controlled = ({ control }: Settings) => (typeof control === "object" ? control : {})

const isImage = Schema.is(Image)

/** A path, with the repository for its images after the last `=`. */
const contentsOf = (place: string): SeedContents => {
  const equals = place.lastIndexOf("=")
  return equals === -1 ? { from: place } : { from: place.slice(0, equals), repository: place.slice(equals + 1) }
}

const changes = {
  port: changing(
    Flag.Int("port").pipe(Flag.withMetavar("PORT"), Flag.withSchema(Port)),
    `The port to listen on; 0 for any free port. Default: ${defaultPort}`,
    (port) => (settings) => ({ ...settings, port })
  ),
  host: changing(text("host", "ADDRESS"), "The address to listen on. Default: 127.0.0.1", (host) => (settings) => ({
    ...settings,
    host
  })),
  publicHost: changing(
    text("public-host", "HOST[:PORT]").pipe(Flag.withSchema(Host)),
    "The host name that clients use for the registry. Blobs are then served directly. Default: the host that a request names",
    (publicHost) => (settings) => ({ ...settings, publicHost })
  ),
  https: changing(
    Flag.Boolean("https"),
    "Serve https, with a certificate made on start. Default: http, or https with --cert",
    (https) => (settings) => ({
      ...settings,
      https: https && typeof settings.https === "object" ? settings.https : https
    })
  ),
  caOut: changing(
    text("ca-out", "FILE"),
    "Write the certificate that clients must trust to this file, in PEM",
    (caOut) => (settings) => ({ ...settings, caOut })
  ),
  anonymous: changing(
    Flag.Boolean("anonymous"),
    "Allow anonymous callers to list and to pull. Default: no",
    (anonymousPull) => (settings) => ({ ...settings, anonymousPull })
  ),
  directBlobs: changing(
    Flag.Boolean("direct-blobs"),
    "Serve blobs instead of redirecting to a second host. Default: no, except for hosts other than 127.0.0.1 and localhost",
    (direct) => (settings) => ({ ...settings, blobs: direct ? "direct" : "redirect" })
  ),
  referrersApi: changing(
    Flag.Boolean("referrers-api"),
    "Serve the referrers API; --no-referrers-api for a registry that lacks it. Default: yes",
    (api) => (settings) => ({ ...settings, referrers: { ...settings.referrers, api } })
  ),
  softDelete: changing(
    text("soft-delete", "TIME").pipe(Flag.withSchema(Period)),
    'Keep deleted content in a trash for this time, such as "7 days". Default: deletions are final',
    (retention) => (settings) => ({ ...settings, softDelete: { retention } })
  ),
  abac: changing(
    Flag.Boolean("abac"),
    "Grant permissions by repository, as registries with attribute-based access control do. Default: no",
    (abac) => (settings) => ({ ...settings, roleAssignmentMode: abac ? "rbac-abac" : "rbac" })
  ),
  tier: changing(
    Flag.Literals("tier", tiers).pipe(Flag.withMetavar("TIER")),
    "Limit requests as a registry of this tier does. Default: no limit",
    (tier) => (settings) => ({ ...settings, tier })
  ),
  directory: changing(
    text("directory", "FOLDER"),
    "The folder to keep the registry in. Default: a temporary one, removed when the emulator stops",
    (directory) => (settings) => ({ ...settings, directory })
  ),
  seed: Flag.String("seed").pipe(
    Flag.withMetavar("IMAGE"),
    Flag.withDescription("A small image to start with, such as library/alpine:3.20; may be repeated. Default: none"),
    Flag.filter(isImage, (given) => `Expected an image such as library/alpine:3.20, got ${given}`),
    Flag.atLeast(0),
    Flag.map((seeds): Change => (settings) => ({ ...settings, seeds: [...(settings.seeds ?? []), ...seeds] }))
  ),
  seedFrom: text("seed-from", "PATH[=REPOSITORY]").pipe(
    Flag.withDescription(
      "A folder in OCI layout, or an archive, with images to start with; may be repeated. Default: none"
    ),
    Flag.atLeast(0),
    Flag.map((places): Change => (settings) => ({
      ...settings,
      seeds: [...(settings.seeds ?? []), ...places.map(contentsOf)]
    }))
  ),
  control: changing(
    Flag.Boolean("control"),
    "Serve the control API; --no-control for none. Default: yes",
    (control) => (settings) => ({ ...settings, control: control && (settings.control ?? true) })
  ),
  controlPort: changing(
    Flag.Int("control-port").pipe(Flag.withMetavar("PORT"), Flag.withSchema(Port)),
    `The port of the control API; 0 for any free port. Default: the port after the registry's (${defaultPort + 1})`,
    (port) => (settings) => ({ ...settings, control: { ...controlled(settings), port } })
  ),
  controlHost: changing(
    text("control-host", "ADDRESS"),
    "The address of the control API, which has no login. Default: 127.0.0.1",
    (host) => (settings) => ({ ...settings, control: { ...controlled(settings), host } })
  ),
  controlName: Flag.String("control-name").pipe(
    Flag.withMetavar("HOST"),
    Flag.withDescription(
      "A host name that clients use for the control API; may be repeated. Default: localhost, addresses and --public-host"
    ),
    Flag.atLeast(0),
    Flag.map((names): Change =>
      names.length === 0
        ? keep
        : (settings) => {
            const control = controlled(settings)
            return { ...settings, control: { ...control, hosts: [...(control.hosts ?? []), ...names] } }
          }
    )
  ),
  json: changing(
    Flag.Boolean("json"),
    "Print one line of JSON when ready instead of instructions. Default: no",
    (json) => (settings) => ({ ...settings, json })
  ),
  readyFile: changing(
    text("ready-file", "FILE"),
    "Write that JSON to this file when ready, and remove the file on stop",
    (readyFile) => (settings) => ({ ...settings, readyFile })
  ),
  log: changing(
    Flag.Literals("log", logs).pipe(Flag.withMetavar("FORMAT")),
    "Print a line on stderr for each request. Default: none",
    (log) => (settings) => ({ ...settings, log })
  )
}

export const flags = {
  config: text("config", "FILE").pipe(
    Flag.withDescription("A JSON file with settings, which flags override"),
    Flag.optional
  ),
  cert: text("cert", "FILE").pipe(
    Flag.withDescription("Serve https with this certificate, in PEM. It needs --key"),
    Flag.optional
  ),
  key: text("key", "FILE").pipe(Flag.withDescription("The private key of --cert, in PEM"), Flag.optional),
  changes
}

interface Given {
  readonly config: Option.Option<string>
  readonly cert: Option.Option<string>
  readonly key: Option.Option<string>
  readonly changes: { readonly [name in keyof typeof changes]: Change }
}

/** `--cert` and `--key`, which need each other. */
const certificateOf = ({ cert, key }: Given): Effect.Effect<Settings, CannotStart> => {
  if (Option.isSome(cert) && Option.isSome(key)) {
    return Effect.succeed({ https: { certificate: cert.value, key: key.value } })
  }
  if (Option.isNone(cert) && Option.isNone(key)) return Effect.succeed({})
  const [one, other] = Option.isSome(cert) ? ["--cert", "--key"] : ["--key", "--cert"]
  return Effect.fail(new CannotStart({ problem: `${one} needs ${other}` }))
}

/** The settings of the configuration file, overridden by the flags. */
export const settingsOf = Effect.fnUntraced(function* (given: Given): Effect.fn.Return<Settings, CannotStart> {
  const file = Option.isSome(given.config) ? yield* ConfigFile.read(given.config.value) : {}
  const certificate = yield* certificateOf(given)
  return Object.values(given.changes).reduce<Settings>((settings, change) => change(settings), {
    ...file,
    ...certificate
  })
})
