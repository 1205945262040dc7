/**
 * Writes artifacts into an archive or a layout.
 */
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Archive from "../archive.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import { printCopies } from "../transfer.ts"
import * as Verb from "../verb.ts"

export { document } from "../archive.ts"
export { document as copiesDocument } from "../transfer.ts"

const flags = {
  format: Flag.Literals("format", ["oci", "docker", "layout"]).pipe(
    Flag.withDescription(
      "oci, the default: an archive with all platforms and referrers; docker: an archive for docker load; layout: a folder"
    ),
    Flag.withDefault("oci")
  ),
  name: Flag.String("name").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription(
      "The name that docker load gives to the images, such as shop/api. Defaults to the full name of the repository, such as myregistry.azurecr.io/shop/api"
    ),
    Flag.optional
  ),
  overwrite: Archive.overwriteFlag
}

const layoutProgram = (names: ReadonlyArray<string>, folder: string, place: Place.Flags, options: object) => {
  const source = Place.written(place, names[0] ?? "", "source")
  const references = names.map((name) => Place.written(place, name).reference)
  const suffix = Program.options(options)
  return Program.join(source, {
    imports: { [Program.artifacts]: ["Copy", "ImageLayout"] },
    lines: [
      `const target = yield* ImageLayout.open(${Program.literal(folder)})`,
      ...references.map((name) => `yield* Copy.run(source, target, ${Program.literal(name)}${suffix})`)
    ]
  })
}

const toLayout = (
  names: ReadonlyArray<string>,
  folder: string,
  place: Place.Flags,
  platform: Option.Option<string>
) => {
  const options = Option.isSome(platform) ? { platforms: [platform.value] } : {}
  return Verb.run(
    { what: `export to ${folder}`, program: layoutProgram(names, folder, place, options) },
    Effect.gen(function* () {
      const source = yield* Archive.open(place, names)
      const target = yield* ImageLayout.open(folder)
      const copying = printCopies(
        Archive.referencesOf(source).map((reference) => ({ source: source.store, target, reference, options })),
        { takesCosignTags: "eacr cp --cosign-tags --to-layout copies them" }
      )
      const [first] = source.artifacts
      yield* first === undefined ? copying : Effect.mapError(copying, Place.withOthers(first))
    })
  )
}

export const exportTo = Command.make(
  "export",
  {
    names: Argument.String("artifact").pipe(
      Argument.withDescription(
        "registry/repository:tag, one or more of one repository; the file comes last (- for stdout)"
      ),
      Argument.atLeast(1)
    ),
    platform: Place.platformFlag,
    ...flags,
    ...Place.readFlags
  },
  ({ format, name, names, overwrite, platform, ...place }) => {
    const artifacts = names.slice(0, -1)
    const file = names.at(-1) ?? "-"
    if (format === "layout" && artifacts.length > 0) return toLayout(artifacts, file, place, platform)
    const job: Archive.Job = {
      names: artifacts,
      place,
      file,
      overwrite,
      options: {
        ...(format === "docker" ? { format } : {}),
        ...(Option.isSome(platform) ? { platform: platform.value } : {}),
        ...(Option.isSome(name) ? { name: name.value } : {})
      }
    }
    return Archive.printArchive(`export to ${file}`, job)
  }
).pipe(
  Verb.described({
    does: "Write artifacts into one file: an OCI archive, an archive for docker load, or an image layout. Signatures that cosign 2 stored as tags (sha256-….sig) are exported only by name",
    examples: [
      {
        command: "eacr export myregistry.azurecr.io/shop/api:v1.4.0 api.tar",
        description: "All platforms, and the signatures and SBOMs that are referrers"
      },
      {
        command:
          "eacr export --format docker --platform linux/amd64 myregistry.azurecr.io/shop/api:v1.4.0 - | docker load",
        description: "One platform, straight into Docker"
      }
    ]
  })
)
