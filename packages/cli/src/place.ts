/**
 * Where a name is looked up: in the registry that it begins with, in an image layout, or in an archive.
 */
import * as Artifact from "@effect-acr/artifacts/Artifact"
import type { ContentStore, Reader } from "@effect-acr/artifacts/ContentStore"
import type { Fault } from "@effect-acr/artifacts/Copy"
import { CopyError } from "@effect-acr/artifacts/CopyError"
import * as ImageArchive from "@effect-acr/artifacts/ImageArchive"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as Repository from "@effect-acr/artifacts/Repository"
import * as Reference from "@effect-acr/client/Reference"
import * as Registries from "@effect-acr/client/Registries"
import type * as Compression from "@effect-acr/client/Compression"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stdio from "effect/Stdio"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import { NotThere, type StoreError, WrongCall } from "./problem.ts"
import * as Program from "./program.ts"

/** The services that are needed to open a place for writing. */
type WriteServices = FileSystem.FileSystem | Path.Path | Registries.Registries

/** The services that are needed to open a place for reading. The scope closes the stream of an archive. */
type ReadServices = WriteServices | Compression.Compression | Scope.Scope | Stdio.Stdio

/** The flags that name a layout or an archive, in place of a registry. */
export interface Flags {
  readonly layout: Option.Option<string>
  readonly archive?: Option.Option<string>
}

const placeFlag = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)

const archiveHelp = "an OCI or Docker archive (- for standard input), in which the name is a tag or an image"
const layoutHelp = "an OCI image layout, in which the name is a tag or a digest"

/** The flags of a verb that reads one place. */
export const readFlags = {
  layout: placeFlag("layout", "DIR", `Read ${layoutHelp}`),
  archive: placeFlag("archive", "FILE", `Read ${archiveHelp}`)
}

/** The flag of a verb that changes one place. Archives are read-only. */
export const writeFlags = { layout: placeFlag("layout", "DIR", `Change ${layoutHelp}`) }

/** The flags of a verb that reads a first place, and those of a second one. */
export const fromFlags = {
  layout: placeFlag("from-layout", "DIR", `Read from ${layoutHelp}`),
  archive: placeFlag("from-archive", "FILE", `Read from ${archiveHelp}`)
}

export const toFlags = {
  layout: placeFlag("to-layout", "DIR", `Write to ${layoutHelp}`),
  archive: placeFlag(
    "to-archive",
    "FILE",
    "Write to an OCI archive, in which the name is a tag (- for standard output)"
  )
}

/** The argument that names an artifact. */
export const artifact = (name = "artifact") =>
  Argument.String(name).pipe(
    Argument.withDescription("registry/repository:tag, or with @digest; in a layout or an archive a tag or a digest")
  )

/** An open place, and the name in it. */
export interface Opened<out Store> {
  readonly store: Store
  /** The tag, the digest or another name, as the store takes it. */
  readonly reference: string
  /** The services of the registry, if it is one. */
  readonly registry: Option.Option<Registries.Opened>
}

const ofRegistry = (name: string) =>
  Effect.map(Registries.open(name), (opened): Opened<ContentStore<StoreError>> => ({
    store: Repository.make(opened.content, opened.reference),
    reference: opened.tagOrDigest,
    registry: Option.some(opened)
  }))

const ofLayout = (folder: string, reference: string) =>
  Effect.map(ImageLayout.open(folder), (store): Opened<ContentStore<StoreError>> => ({
    store,
    reference,
    registry: Option.none()
  }))

const ofArchive = (file: string, reference: string) =>
  Effect.gen(function* () {
    const { stdin } = yield* Stdio.Stdio
    const store: Reader<StoreError> = yield* file === "-" ? ImageArchive.fromStream(stdin) : ImageArchive.read(file)
    return { store, reference, registry: Option.none() } satisfies Opened<Reader<StoreError>>
  })

const isGiven = (flag: Option.Option<string> | undefined): flag is Option.Some<string> =>
  flag !== undefined && Option.isSome(flag)

/** What a verb works on, for its errors: a name, or the layout or the archive where the call has no name. */
export const shown = ({ archive = Option.none(), layout }: Flags, name: string): string =>
  name === ""
    ? Option.getOrElse(
        Option.orElse(layout, () => archive),
        () => "the place"
      )
    : name

/** Fails if the folder of a layout does not exist. Only verbs that write content create it. */
const expectFolder = Effect.fnUntraced(function* (folder: string) {
  const files = yield* FileSystem.FileSystem
  if (!(yield* files.exists(folder))) return yield* new NotThere({ description: `there is no folder ${folder}` })
})

/** Whether a name is looked up in a layout or an archive, and not in a registry. */
export const isInFiles = ({ archive, layout }: Flags): boolean => isGiven(layout) || isGiven(archive)

/** Whether two places are one repository, layout or archive. */
export const isSame = ({ origin: one }: Reader<unknown>, { origin: other }: Reader<unknown>): boolean =>
  one.place === other.place && one.repository === other.repository

/** Whether a name is that of a registry, and not of something in it. */
export const isRegistry = Schema.is(Reference.Registry)

/** Whether a name in a registry is that of one artifact, and not of a repository. */
export const isArtifact = (name: string): boolean =>
  Result.match(Reference.parse(name), {
    onFailure: () => false,
    onSuccess: ({ digest, tag }) => digest !== undefined || tag !== undefined
  })

/** Opens a place to read from. */
export const reader = Effect.fnUntraced(function* (
  { archive, layout }: Flags,
  name: string
): Effect.fn.Return<Opened<Reader<StoreError>>, NotThere | StoreError | WrongCall, ReadServices> {
  if (isGiven(layout) && isGiven(archive)) {
    return yield* new WrongCall({ description: "a name is in a layout or in an archive, and not in both" })
  }
  if (isGiven(layout)) {
    yield* expectFolder(layout.value)
    return yield* ofLayout(layout.value, name)
  }
  return isGiven(archive) ? yield* ofArchive(archive.value, name) : yield* ofRegistry(name)
})

/** Opens a place to write to. */
export const store = ({ layout }: Pick<Flags, "layout">, name: string) =>
  Effect.suspend((): Effect.Effect<Opened<ContentStore<StoreError>>, StoreError, WriteServices> =>
    Option.isSome(layout) ? ofLayout(layout.value, name) : ofRegistry(name)
  )

/** Opens an existing place for a change. */
export const existing = Effect.fnUntraced(function* (flags: Pick<Flags, "layout">, name: string) {
  if (Option.isSome(flags.layout)) yield* expectFolder(flags.layout.value)
  return yield* store(flags, name)
})

/** The flag that chooses the image of an index. */
export const platformFlag = Flag.String("platform").pipe(
  Flag.withMetavar("OS/ARCH"),
  Flag.withDescription("The image for this platform, such as linux/arm64, if the name is that of an index"),
  Flag.optional
)

/** The flag of a verb that walks an artifact with its referrers. */
export const referrersFlag = (does: "Read" | "Show") =>
  Flag.Boolean("referrers").pipe(
    Flag.withDescription(
      `${does} signatures, SBOMs and other referrers. Defaults to yes; --no-referrers leaves them out`
    ),
    Flag.withDefault(true)
  )

/** The help for a tag that a repository does not have. Digests have none. */
const othersIn = ({
  reference: { digest, registry, repository, tag }
}: Registries.Opened): { readonly help?: string } => {
  if (digest !== undefined) return {}
  const assumed = tag === undefined ? "the name has no tag, so that latest was looked for. " : ""
  return { help: `${assumed}What tags there are: eacr ls ${registry}/${repository}` }
}

/** Adds to the failure of a copy whose source lacks the name which tags there are. */
export const withOthers =
  ({ registry }: Opened<unknown>) =>
  <E extends { readonly _tag: string }>(error: E | CopyError<StoreError | Fault>) =>
    error instanceof CopyError &&
    error.side === "source" &&
    error.cause._tag === "GraphError" &&
    error.cause.problem === "Missing" &&
    error.cause.path.length === 0 &&
    Option.isSome(registry)
      ? new NotThere({ description: `at the source: ${error.cause.message}`, ...othersIn(registry.value) })
      : error

/** Resolves the name to a manifest, or to the image of an index for a platform. */
export const resolve = ({ reference, registry, store }: Opened<Reader<StoreError>>, platform: Option.Option<string>) =>
  Artifact.resolve(store, reference, Option.isSome(platform) ? { platform: platform.value } : {}).pipe(
    Effect.mapError((error) =>
      error._tag === "ArtifactError" && error.reason._tag === "NotFound" && Option.isSome(registry)
        ? new NotThere({ description: error.message, ...othersIn(registry.value) })
        : error
    )
  )

/** The part of a program that opens a place, and the name in it. */
export interface Written extends Program.Program {
  readonly reference: string
}

/** Writes the part of a program that opens a place. */
export const written = ({ archive, layout }: Flags, name: string, variable = "store"): Written => {
  const opening = (module: string, code: string, more: Partial<Written> = {}): Written => ({
    imports: { [Program.artifacts]: [module] },
    lines: [`const ${variable} = yield* ${code}`],
    reference: name,
    ...more
  })
  if (isGiven(layout)) return opening("ImageLayout", `ImageLayout.open(${Program.literal(layout.value)})`)
  if (isGiven(archive) && archive.value === "-") {
    const imports = { [Program.artifacts]: ["ImageArchive"], [Program.effect]: ["Stdio"] }
    return opening("ImageArchive", "ImageArchive.fromStream((yield* Stdio.Stdio).stdin)", { imports, isScoped: true })
  }
  if (isGiven(archive)) {
    return opening("ImageArchive", `ImageArchive.read(${Program.literal(archive.value)})`, { isScoped: true })
  }
  const parsed = Option.getOrUndefined(Result.getSuccess(Reference.parse(name)))
  const repository = parsed === undefined ? name : `${parsed.registry}/${parsed.repository}`
  return opening("Repository", `Repository.open(${Program.literal(repository)})`, {
    reference: parsed?.digest ?? parsed?.tag ?? "latest"
  })
}

/** Writes the part of a program that opens a place and resolves the name in it, as `resolve` does. */
export const resolved = (
  flags: Flags,
  name: string,
  platform: Option.Option<string>,
  variable: string
): Program.Program => {
  const opened = written(flags, name)
  const options = Option.isSome(platform) ? `, { platform: ${Program.literal(platform.value)} }` : ""
  return Program.join(opened, {
    imports: { [Program.artifacts]: ["Artifact"] },
    lines: [`const ${variable} = yield* Artifact.resolve(store, ${Program.literal(opened.reference)}${options})`]
  })
}
