/**
 * Copies artifacts between registries, layouts and archives.
 */
import { type ContentStore, namesList, type Reader } from "@effect-acr/artifacts/ContentStore"
import type * as Copy from "@effect-acr/artifacts/Copy"
import * as Reference from "@effect-acr/client/Reference"
import * as Referrer from "@effect-acr/client/Referrer"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { overwriteFlag, printArchive } from "../archive.ts"
import { dryRunFlag } from "../dryRun.ts"
import { NotThere, type StoreError, WrongCall } from "../problem.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import * as Target from "../target.ts"
import { type Job, printCopies } from "../transfer.ts"
import * as Verb from "../verb.ts"

export { document as archiveDocument } from "../archive.ts"
export { document } from "../transfer.ts"

const switchOf = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withoutNegation, Flag.withDefault(false))

const flags = {
  referrers: Flag.Boolean("referrers").pipe(
    Flag.withDescription("Copy signatures, SBOMs and other referrers. Defaults to yes; --no-referrers leaves them out"),
    Flag.withDefault(true)
  ),
  cosignTags: switchOf(
    "cosign-tags",
    "Copy the tags by which cosign 2 stores signatures, attestations and SBOMs (sha256-….sig, .att, .sbom), as well"
  ),
  platforms: Flag.String("platform").pipe(
    Flag.withMetavar("OS/ARCH"),
    Flag.withDescription(
      "Copy only the images for this platform. It can be repeated. The target gets a new index of them, with another digest, unless --index is sparse"
    ),
    Flag.atLeast(0)
  ),
  index: Flag.Literals("index", ["rewrite", "sparse"]).pipe(
    Flag.withDescription(
      "With --platform: rewrite the index, which is the default, or keep it as it is with images missing"
    ),
    Flag.withDefault("rewrite")
  ),
  onTag: Flag.Literals("on-tag", ["overwrite", "keep", "fail"]).pipe(
    Flag.withDescription("What to do with a tag of the target that names something else. Defaults to overwrite"),
    Flag.withDefault("overwrite")
  ),
  foreignLayers: switchOf("foreign-layers", "Copy layers that may not be distributed, as well"),
  verify: switchOf("verify", "Look for each manifest and blob at the target, and trust nothing that is there"),
  concurrency: Flag.Int("concurrency").pipe(
    Flag.withMetavar("COUNT"),
    Flag.withDescription("How many blobs to send at the same time. Defaults to 6"),
    Flag.filter(
      (count) => count >= 1,
      (count) => `Expected at least 1, got ${count}`
    ),
    Flag.optional
  ),
  allTags: switchOf("all-tags", "Copy all tags that the source lists. It is then named without a tag"),
  dryRun: dryRunFlag
}

type Given = Command.Command.Config.Infer<typeof flags>

/** A stream is read in its own order, so that no large part of it is kept in memory. */
const isStream = ({ archive }: Place.Flags): boolean =>
  archive !== undefined && Option.isSome(archive) && archive.value === "-"

const optionsOf = (given: Given, from: Place.Flags): Copy.Options => {
  const concurrency = Option.getOrElse(given.concurrency, () => (isStream(from) ? 1 : undefined))
  return {
    ...(given.referrers ? {} : { referrers: false }),
    ...(given.cosignTags ? { cosignTags: true } : {}),
    ...(given.platforms.length === 0 ? {} : { platforms: given.platforms }),
    ...(given.index === "rewrite" ? {} : { index: given.index }),
    ...(given.onTag === "overwrite" ? {} : { onTag: given.onTag }),
    ...(given.foreignLayers ? { foreignLayers: true } : {}),
    ...(given.verify ? { trust: "walk" } : {}),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(given.dryRun ? { isDryRun: true } : {})
  }
}

/** The two names of a call. With all tags of a layout or an archive, there is no name of a source. */
const namesOf = (from: string, to: Option.Option<string>, { archive, layout }: Place.Flags, { allTags }: Given) => {
  const isFile = Option.isSome(layout) || (archive !== undefined && Option.isSome(archive))
  return allTags && isFile && Option.isNone(to) ? { from: "", to: Option.some(from) } : { from, to }
}

/** The tag of a source with a tag and a digest. The digest selects the content, and the tag names the copy. */
const tagBesideDigest = (from: string, places: Place.Flags): ReadonlyArray<string> =>
  Place.isInFiles(places)
    ? []
    : Result.match(Reference.parse(from), {
        onFailure: () => [],
        onSuccess: ({ digest, tag }) => (digest === undefined || tag === undefined ? [] : [tag])
      })

/** Where a copy goes: a repository or a layout, and the tags there. */
interface Aim {
  readonly name: string
  readonly tags: ReadonlyArray<string>
}

const aimOf = Effect.fnUntraced(function* (
  from: string,
  to: Option.Option<string>,
  places: { readonly from: Place.Flags; readonly to: Place.Flags }
) {
  const own = tagBesideDigest(from, places.from)
  if (Option.isSome(places.to.layout)) {
    return { name: "", tags: Option.isSome(to) ? yield* Target.tagsOf(to.value) : own } satisfies Aim
  }
  if (Option.isNone(to)) {
    return yield* new WrongCall({ description: "say where to: registry/repository, or --to-layout DIR" })
  }
  const { repository, tags } = yield* Target.parse(to.value)
  return { name: repository, tags: tags.length === 0 ? own : tags } satisfies Aim
})

/** Fails if `--all-tags` has a source with a tag or a digest. */
const expectNoTag = (from: string, { registry }: Place.Opened<unknown>) => {
  const isNamed = Option.match(registry, {
    onNone: () => from !== "",
    onSome: ({ reference: { digest, tag } }) => tag !== undefined || digest !== undefined
  })
  const description = `with --all-tags, the source has neither tag nor digest, unlike ${from}`
  return isNamed ? Effect.fail(new WrongCall({ description })) : Effect.void
}

const jobsOf = Effect.fnUntraced(function* (
  from: string,
  source: Place.Opened<Reader<StoreError>>,
  target: ContentStore<StoreError>,
  { tags }: Aim,
  given: Given,
  options: Copy.Options
) {
  const { reference, store } = source
  const job = (tagOrDigest: string): Job => ({ source: store, target, reference: tagOrDigest, options })
  if (!given.allTags) return [{ ...job(reference), options: tags.length === 0 ? options : { ...options, tags } }]
  yield* expectNoTag(from, source)
  if (tags.length > 0) return yield* new WrongCall({ description: "with --all-tags, tags keep their names" })
  // Referrers are copied with their subjects, and the target keeps its own lists of them.
  const isList = (tag: string) =>
    Referrer.isTag(tag)
      ? Effect.flatMap(store.resolve(tag), (found) =>
          Option.isSome(found) ? namesList(store, tag, found.value) : Effect.succeed(false)
        )
      : Effect.succeed(false)
  const names = yield* Stream.runCollect(Stream.filterEffect(store.tags, (tag) => Effect.map(isList(tag), (is) => !is)))
  if (names.length > 0) return names.map(job)
  return yield* new NotThere({
    description: from === "" ? "there are no tags to copy" : `${from} has no tags: does it exist?`
  })
})

const program = (
  from: string,
  to: Option.Option<string>,
  places: { readonly from: Place.Flags; readonly to: Place.Flags },
  given: Given
): Program.Program => {
  const name = Option.getOrElse(to, () => "")
  const [first = "", ...others] = name.split(",")
  const source = Place.written(places.from, from, "source")
  const target = Place.written(places.to, first, "target")
  const isNamed = Option.isSome(places.to.layout) ? name !== "" : name.indexOf(":", name.lastIndexOf("/")) !== -1
  const own = tagBesideDigest(from, places.from)
  const named = isNamed ? [target.reference, ...others] : own
  const tags = named.length === 0 ? {} : { tags: named }
  const suffix = Program.options({ ...tags, ...optionsOf(given, places.from) })
  const imports = { [Program.artifacts]: ["Copy"] }
  if (!given.allTags) {
    const call = `Copy.run(source, target, ${Program.literal(source.reference)}${suffix})`
    return Program.join(source, target, Program.print(`yield* ${call}`), { imports, lines: [] })
  }
  return Program.join(source, target, {
    imports: { ...imports, [Program.effect]: ["Stream"] },
    lines: [`yield* Stream.runForEach(source.tags, (tag) => Copy.run(source, target, tag${suffix}))`]
  })
}

/** The flags of a call that do not work with an archive. */
const withoutMeaning = (given: Given): ReadonlyArray<string> =>
  [
    ["--cosign-tags", given.cosignTags],
    ["--platform", given.platforms.length > 0],
    ["--index", given.index !== "rewrite"],
    ["--on-tag", given.onTag !== "overwrite"],
    ["--foreign-layers", given.foreignLayers],
    ["--verify", given.verify],
    ["--concurrency", Option.isSome(given.concurrency)],
    ["--all-tags", given.allTags],
    ["--dry-run", given.dryRun]
  ].flatMap(([flag, isGiven]) => (isGiven === true ? [String(flag)] : []))

/** Why the flags of a call contradict each other, if they do. */
const wrongFlags = (given: Given, overwrite: boolean, archive: Option.Option<string>): string | undefined => {
  if (Option.isNone(archive)) return overwrite ? "--overwrite is about the file of --to-archive" : undefined
  const unfit = withoutMeaning(given)
  if (unfit.length === 0) return undefined
  const instead = given.cosignTags
    ? ". eacr export takes the tags of cosign by name, --to-layout takes --cosign-tags"
    : ""
  return `an archive is written as a whole, for which ${unfit.join(", ")} mean nothing${instead}`
}

export const cp = Command.make(
  "cp",
  {
    from: Place.artifact("from"),
    to: Argument.String("to").pipe(
      Argument.withDescription(
        "registry/repository with tags (:v1,stable), or without to keep the tag of the source; in a layout or an archive only the tags"
      ),
      Argument.optional
    ),
    places: { from: Place.fromFlags, to: Place.toFlags },
    overwrite: overwriteFlag,
    given: flags
  },
  ({ given, overwrite, places, ...named }) => {
    const { from, to } = namesOf(named.from, named.to, places.from, given)
    const { archive } = places.to
    const wrong = wrongFlags(given, overwrite, archive)
    if (wrong !== undefined) {
      return Verb.run(
        { what: `copy ${named.from}`, program: program(from, to, places, given) },
        new WrongCall({ description: wrong })
      )
    }
    return Option.isSome(archive)
      ? printArchive(`copy ${from}`, {
          names: [from],
          newNames: Option.toArray(to).flatMap((text) => text.split(",")),
          place: places.from,
          file: archive.value,
          overwrite,
          options: given.referrers ? {} : { referrers: false }
        })
      : Verb.run(
          { what: `copy ${named.from}`, program: program(from, to, places, given) },
          Effect.gen(function* () {
            const aim = yield* aimOf(from, to, places)
            const source = yield* Place.reader(places.from, from)
            const target = yield* Place.store(places.to, aim.name)
            const options = optionsOf(given, places.from)
            const jobs = yield* jobsOf(from, source, target.store, aim, given, options)
            const copying = printCopies(jobs, {
              registry: target.registry,
              ...(given.allTags ? {} : { takesCosignTags: "--cosign-tags copies them" })
            })
            yield* Effect.mapError(copying, Place.withOthers(source))
          })
        )
  }
).pipe(
  Verb.described({
    does: "Copy an artifact with its platforms, signatures and SBOMs. Those that cosign 2 stored as tags are copied only with --cosign-tags. Content that the target has is not sent again",
    examples: [
      {
        command: "eacr cp myregistry.azurecr.io/shop/api:v1.4.0 production.azurecr.io/shop/api:v1.4.0,stable",
        description: "Promote an image under two tags"
      },
      {
        command: "eacr cp myregistry.azurecr.io/shop/api:v1.4.0 --to-layout backup",
        description: "Back an image up into an OCI image layout"
      },
      {
        command: "eacr cp --from-archive image.tar v1.4.0 myregistry.azurecr.io/shop/api",
        description: "Push an image from an archive"
      }
    ]
  })
)
