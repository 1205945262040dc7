/**
 * Deletes tags, or manifests with all of their tags.
 */
import type { ContentStore } from "@effect-acr/artifacts/ContentStore"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Answer from "../answer.ts"
import { confirm, yesFlag } from "../confirm.ts"
import { dryRunFlag } from "../dryRun.ts"
import { exitCodes } from "../exitCode.ts"
import { type StoreError, Unsafe, WrongCall } from "../failure.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import * as Verb from "../verb.ts"
import * as Untag from "./untag.ts"

/** Without `--manifest`, tags are deleted as `untag` does it. */
export { document as tagsDocument } from "./untag.ts"

export const document = Answer.document({
  manifests: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      digest: Digest.Digest,
      /** The tags that go with it. */
      tags: Schema.Array(Schema.String),
      /** How many manifests refer to it. They stay, or the registry deletes them as well. */
      referrers: Schema.Natural,
      /** `kept`: the question was answered with no. */
      outcome: Schema.Literals(["deleted", "kept"])
    })
  ),
  isDryRun: Schema.Boolean
})

/** Tags that are looked up at the same time. */
const lookupsAtOnce = 8

const indexTypes: ReadonlyArray<string> = [MediaType.ociImageIndex, MediaType.dockerManifestList]

const decoder = new TextDecoder()

/** Whether a manifest is an index that lists another one. */
const lists = Effect.fnUntraced(function* (
  store: ContentStore<StoreError>,
  index: Descriptor,
  digest: Digest.Digest
): Effect.fn.Return<boolean, StoreError> {
  if (!indexTypes.includes(MediaType.essence(index.mediaType))) return false
  const raw = yield* store.manifest(index)
  return Option.exists(raw, ({ bytes, descriptor }) =>
    Manifest.references(Manifest.view(descriptor.mediaType, decoder.decode(bytes))).manifests.some(
      (child) => child.digest === digest
    )
  )
})

/** How a tag is related to a manifest: it names it, it names an index that lists it, or neither. */
const relation = Effect.fnUntraced(function* (store: ContentStore<StoreError>, tag: string, digest: Digest.Digest) {
  const found = yield* store.resolve(tag)
  if (Option.isNone(found)) return { tag, kind: "none" } as const
  if (found.value.digest === digest) return { tag, kind: "names" } as const
  return (yield* lists(store, found.value, digest))
    ? ({ tag, kind: "lists" } as const)
    : ({ tag, kind: "none" } as const)
})

/** All tags that name a manifest. Any registry lists tags; what each names has to be asked one by one. */
const tagsOf = Effect.fnUntraced(function* (store: ContentStore<StoreError>, digest: Digest.Digest) {
  const tags = yield* store.tags.pipe(
    Stream.mapEffect((tag) => relation(store, tag, digest), { concurrency: lookupsAtOnce }),
    Stream.runCollect
  )
  const indexes = tags.filter(({ kind }) => kind === "lists").map(({ tag }) => tag)
  if (indexes.length > 0) {
    const description = `${indexes.join(", ")} would break: ${indexes.length === 1 ? "it names" : "they name"} an index that lists ${digest}`
    return yield* new Unsafe({ description })
  }
  return tags.filter(({ kind }) => kind === "names").map(({ tag }) => tag)
})

/** What one name stands for, and what goes with it. */
const doomed = Effect.fnUntraced(function* (place: Pick<Place.Flags, "layout">, name: string) {
  const opened = yield* Place.store(place, name)
  // What is destroyed has to be named: nothing stands for the tag latest here.
  if (
    Option.exists(opened.registry, ({ reference }) => reference.tag === undefined && reference.digest === undefined)
  ) {
    return yield* new WrongCall({ description: `${name} names a repository: add a tag or a digest` })
  }
  const { digest } = yield* Place.resolve(opened, Option.none())
  return {
    name,
    digest,
    store: opened.store,
    tags: yield* tagsOf(opened.store, digest),
    referrers: yield* Stream.runCount(opened.store.referrers(digest))
  }
})

const lineOf = ({ digest, referrers, tags }: Omit<(typeof document.Type)["manifests"][number], "outcome">): string =>
  [
    digest,
    tags.length === 0 ? "no tag" : `tags ${tags.join(", ")}`,
    ...(referrers === 0 ? [] : [`${referrers} ${referrers === 1 ? "referrer" : "referrers"}`])
  ].join("\t")

const removeManifests = Effect.fnUntraced(function* (
  place: Pick<Place.Flags, "layout">,
  names: ReadonlyArray<string>,
  { dryRun, yes }: { readonly dryRun: boolean; readonly yes: boolean }
) {
  const all = yield* Effect.forEach(names, (name) => doomed(place, name))
  const isSure =
    dryRun || (yield* confirm(yes, ["This deletes:", ...all.map((one) => `  ${lineOf(one)}`)], "Delete them?"))
  if (isSure && !dryRun) yield* Effect.forEach(all, ({ digest, store }) => store.remove({ digest }), { discard: true })
  const outcome = isSure ? ("deleted" as const) : ("kept" as const)
  return Answer.make(
    document,
    {
      manifests: all.map(({ digest, name, referrers, tags }) => ({ name, digest, tags, referrers, outcome })),
      isDryRun: dryRun
    },
    {
      text: () => all.map((one) => `${outcome}\t${lineOf(one)}`),
      quiet: isSure ? all.map(({ digest }) => digest) : [],
      code: isSure ? exitCodes.done : exitCodes.no
    }
  )
})

const program = (names: ReadonlyArray<string>, place: Pick<Place.Flags, "layout">): Program.Program =>
  Program.join(
    ...names.map((name, index) => {
      const own = names.length === 1 ? "" : `${index + 1}`
      const opened = Place.written(place, name, `store${own}`)
      const remove: Program.Program = {
        imports: { [Program.artifacts]: ["Artifact"] },
        lines: [
          `const manifest${own} = yield* Artifact.resolve(store${own}, ${Program.literal(opened.reference)})`,
          `yield* store${own}.remove(manifest${own})`
        ]
      }
      return Program.join(opened, remove)
    })
  )

export const rm = Command.make(
  "rm",
  {
    names: Argument.String("artifact").pipe(
      Argument.withDescription("registry/repository:tag, or with @digest; in a layout a tag or a digest"),
      Argument.atLeast(1)
    ),
    manifest: Flag.Boolean("manifest").pipe(
      Flag.withDescription("Delete the manifest with all of its tags. Without it, a tag alone is deleted"),
      Flag.withoutNegation,
      Flag.withDefault(false)
    ),
    dryRun: dryRunFlag,
    yes: yesFlag,
    ...Place.writeFlags
  },
  ({ dryRun, manifest, names, yes, ...place }) =>
    Verb.answer(
      { what: `delete ${names.join(", ")}`, program: manifest ? program(names, place) : Untag.program(names, place) },
      manifest
        ? removeManifests(place, names, { dryRun, yes })
        : Effect.map(
            Effect.forEach(names, (name) => Untag.untagOne(place, name, dryRun)),
            (tags) => Untag.answerOf(tags, dryRun)
          )
    )
).pipe(
  Verb.described({
    does: "Delete tags, or with --manifest what they name",
    examples: [
      { command: "eacr rm myregistry.azurecr.io/shop/api:v1.3.0", description: "Delete a tag" },
      {
        command: "eacr rm --manifest --yes myregistry.azurecr.io/shop/api:v1.3.0",
        description: "Delete an image with all of its tags"
      }
    ]
  })
)
