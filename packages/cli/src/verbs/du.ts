/**
 * Shows what uses the storage of a repository, a layout, an archive or an artifact.
 */
import type { Reader } from "@effect-acr/artifacts/ContentStore"
import type { GraphError } from "@effect-acr/artifacts/Graph"
import * as StorageUsage from "@effect-acr/artifacts/StorageUsage"
import * as Annotations from "@effect-acr/client/Annotations"
import * as Digest from "@effect-acr/client/Digest"
import { printable } from "@effect-acr/client/Printable"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Answer from "../answer.ts"
import { NotThere, type StoreError, WrongCall } from "../problem.ts"
import * as Output from "../output.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import { size } from "../size.ts"
import { table, type View } from "../table.ts"
import * as Verb from "../verb.ts"

export const document = Answer.document(StorageUsage.StorageUsage.fields)

const { findings, totalBytes } = StorageUsage.StorageUsage.fields
const { descriptor, kind, type } = StorageUsage.UsedContent.fields

/** Of one artifact. Content that it shares with others is not looked for. */
export const artifactDocument = Answer.document({
  digest: Digest.Digest,
  totalBytes,
  contents: Schema.Array(Schema.Struct({ kind, type, descriptor })),
  findings
})

type Usage = StorageUsage.StorageUsage

/** Whether a name is one artifact, and not a repository or a whole layout. */
const isArtifact = (name: string, flags: Place.Flags): boolean =>
  Place.isInFiles(flags) ? name !== "" : Place.isArtifact(name)

const expectRepository = (name: string, flags: Place.Flags) =>
  Place.isInFiles(flags) || !Place.isRegistry(name)
    ? Effect.void
    : new WrongCall({ description: `du counts one repository at a time. To list repositories: eacr ls ${name}` })

const noTag = "(no tag)"

/**
 * A row for each artifact, then one for shared content, and one for the total. The second column adds up: deleting everything frees
 * what each artifact has alone, and what several share.
 */
const byRoots = (view: View, { roots, sharedBytes, totalBytes }: Usage): ReadonlyArray<string> =>
  table(
    view,
    ["TOTAL", "OWN", "DIGEST", "TAGS"],
    [
      ...roots.map(({ digest, ownBytes, tags, totalBytes }) => [
        size(view, totalBytes),
        size(view, ownBytes),
        digest,
        tags.length === 0 ? noTag : tags.join(",")
      ]),
      ["", size(view, sharedBytes), "shared", ""],
      [size(view, totalBytes), size(view, totalBytes), "total", ""]
    ]
  )

/** A row for each manifest and blob, and a row for the total. */
const byContents = (view: View, { contents, totalBytes }: Usage): ReadonlyArray<string> =>
  table(
    view,
    ["SIZE", "KIND", "DIGEST", "WHAT"],
    [
      ...contents.map(({ descriptor, kind, type }) => [
        size(view, descriptor.size),
        kind,
        descriptor.digest,
        descriptor.annotations?.[Annotations.title] ?? type
      ]),
      [size(view, totalBytes), "total", "", ""]
    ]
  )

/** Warns of what is not counted. */
const warn = ({ findings }: Usage) =>
  Effect.forEach(
    findings,
    ({ description, digest }) => Output.tell(`warning: ${digest} is not counted: ${printable(description)}`),
    { discard: true }
  )

const readProgram = (code: string): Program.Program => ({
  imports: { [Program.artifacts]: ["StorageUsage"] },
  lines: [`const usage = yield* StorageUsage.${code}`]
})

const program = (name: string, isOne: boolean, flags: Place.Flags): Program.Program => {
  if (isOne) {
    const root = Place.resolved(flags, name, Option.none(), "root")
    return Program.join(root, readProgram("ofArtifact(store, root)"), Program.print("usage"))
  }
  if (Place.isInFiles(flags)) {
    return Program.join(Place.written(flags, name), readProgram("read(store)"), Program.print("usage"))
  }
  const registry: Program.Program = {
    imports: { [Program.client]: ["Registries"] },
    lines: [`const opened = yield* Registries.open(${Program.literal(name)})`]
  }
  return Program.join(registry, readProgram("ofRegistry(opened)"), Program.print("usage"))
}

/** The storage of all tags of a place. A registry does not tell an empty repository from one that does not exist. */
const ofPlace = ({ registry, store }: Place.Opened<Reader<StoreError>>) =>
  Option.match(registry, {
    onNone: () => StorageUsage.read(store),
    onSome: (opened): Effect.Effect<Usage, GraphError | NotThere | StoreError> =>
      Effect.filterOrFail(
        StorageUsage.ofRegistry(opened),
        ({ findings, roots }) => roots.length > 0 || findings.length > 0,
        () => new NotThere({ description: `there is nothing in ${opened.repository}: does it exist?` })
      )
  })

const ofAll = Effect.fnUntraced(function* (opened: Place.Opened<Reader<StoreError>>) {
  const usage = yield* ofPlace(opened)
  yield* warn(usage)
  return Answer.make(document, usage, {
    text: (view) => byRoots(view, usage),
    quiet: [String(usage.totalBytes)]
  })
})

const ofArtifact = Effect.fnUntraced(function* (opened: Place.Opened<Reader<StoreError>>) {
  const root = yield* Place.resolve(opened, Option.none())
  const usage = yield* StorageUsage.ofArtifact(opened.store, root)
  const { contents, findings, totalBytes } = usage
  yield* warn(usage)
  return Answer.make(
    artifactDocument,
    { digest: root.digest, totalBytes, contents, findings },
    { text: (view) => byContents(view, usage), quiet: [String(totalBytes)] }
  )
})

export const du = Command.make(
  "du",
  {
    place: Argument.String("place").pipe(
      Argument.withDescription(
        "registry/repository, or an artifact in it by tag or digest. In a layout or an archive, an artifact; by default everything"
      ),
      Argument.optional
    ),
    ...Place.readFlags
  },
  ({ place, ...flags }) => {
    const name = Option.getOrElse(place, () => "")
    const isOne = isArtifact(name, flags)
    return Verb.answer(
      { what: `count the storage of ${Place.shown(flags, name)}`, program: program(name, isOne, flags) },
      Effect.gen(function* () {
        yield* expectRepository(name, flags)
        const opened = yield* Place.reader(flags, name)
        return isOne ? yield* ofArtifact(opened) : yield* ofAll(opened)
      })
    )
  }
).pipe(
  Verb.described({
    does: "Show what uses the storage of a repository. TOTAL is all content of an artifact. OWN is the content that only it has, which deleting it frees. Content of several artifacts is shared",
    examples: [
      { command: "eacr du myregistry.azurecr.io/shop/api", description: "The tags of a repository, the largest first" },
      {
        command: "eacr du myregistry.azurecr.io/shop/api:v1.4.0",
        description: "The layers of an image, the largest first"
      }
    ]
  })
)
