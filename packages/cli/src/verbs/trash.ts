/**
 * Lists and restores what was deleted, on registries of Azure with soft delete.
 */
import * as Trash from "@effect-acr/artifacts/Trash"
import * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import * as Digest from "@effect-acr/client/Digest"
import * as Registries from "@effect-acr/client/Registries"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import type * as SoftDeleted from "@effect-acr/client/SoftDeleted"
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Answer from "../answer.ts"
import * as Locks from "../locks.ts"
import { dryRunFlag, outcome as outcomeOf } from "../dryRun.ts"
import { exitCodes } from "../exitCode.ts"
import { NotThere, WrongCall } from "../problem.ts"
import * as Output from "../output.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import { settings } from "../settings.ts"
import { table } from "../table.ts"
import * as Verb from "../verb.ts"

/** The repositories of a registry that were deleted, or what was deleted from one repository. */
export const listDocument = Answer.document({
  repositories: Schema.Array(Schema.Struct({ name: Schema.String, deletedOn: Schema.DateTimeUtcFromString })),
  manifests: Schema.Array(
    Schema.Struct({
      digest: Digest.Digest,
      deletedOn: Schema.DateTimeUtcFromString,
      /** The tags that named it when they were deleted. */
      tags: Schema.Array(Schema.String)
    })
  )
})

export const restoreDocument = Answer.document({
  steps: Schema.Array(Trash.RestoredStep),
  isDryRun: Schema.Boolean
})

const listAnswer = (found: Omit<typeof listDocument.Type, "version">): Answer.Answer => {
  const { manifests, repositories } = found
  return Answer.make(listDocument, found, {
    text: (view) =>
      repositories.length > 0
        ? table(
            view,
            ["REPOSITORY", "DELETED"],
            repositories.map(({ deletedOn, name }) => [name, DateTime.formatIso(deletedOn)])
          )
        : table(
            view,
            ["DIGEST", "DELETED", "TAGS"],
            manifests.map(({ deletedOn, digest, tags }) => [digest, DateTime.formatIso(deletedOn), tags.join(", ")])
          ),
    quiet: [...repositories.map(({ name }) => name), ...manifests.map(({ digest }) => digest)]
  })
}

const ofRegistry = Effect.fnUntraced(function* (loginServer: string) {
  const registries = yield* Registries.Registries
  const registry = yield* Effect.provide(ContainerRegistry.ContainerRegistry, registries.layerFor(loginServer))
  const repositories = yield* Stream.runCollect(registry.deletedRepositories())
  return { repositories: repositories.map(({ deletedOn, name }) => ({ name, deletedOn })), manifests: [] }
})

const ofRepository = Effect.fnUntraced(function* (name: string) {
  const { registry, repository } = yield* Registries.open(name)
  const [manifests, tags] = yield* Effect.all([
    Stream.runCollect(registry.deletedManifests(repository)),
    Stream.runCollect(registry.deletedTags(repository))
  ])
  return {
    repositories: [],
    manifests: manifests.map(({ deletedOn, digest }) => ({
      digest,
      deletedOn,
      tags: Array.from(new Set(tags.filter((tag) => tag.digest === digest).map((tag) => tag.name)))
    }))
  }
})

/** Says what an empty trash may mean: nothing that ACR documents tells whether soft delete is on. */
const tellEmpty = Effect.fnUntraced(function* (found: Omit<typeof listDocument.Type, "version">) {
  const { isQuiet } = yield* settings
  if (isQuiet || found.repositories.length > 0 || found.manifests.length > 0) return
  yield* Output.tell(
    "the trash is empty: nothing was deleted lately, or soft delete is off, so that deletions are final"
  )
})

const listProgram = (place: string): Program.Program =>
  Place.isRegistry(place)
    ? {
        imports: { [Program.client]: ["ContainerRegistry", "Registries"], [Program.effect]: ["Console", "Stream"] },
        lines: [
          "const registries = yield* Registries.Registries",
          `const services = registries.layerFor(${Program.literal(place)})`,
          "const registry = yield* Effect.provide(ContainerRegistry.ContainerRegistry, services)",
          "yield* Stream.runForEach(registry.deletedRepositories(), ({ name }) => Console.log(name))"
        ]
      }
    : {
        imports: { [Program.client]: ["Registries"], [Program.effect]: ["Console", "Stream"] },
        lines: [
          `const { registry, repository } = yield* Registries.open(${Program.literal(place)})`,
          "yield* Stream.runForEach(registry.deletedManifests(repository), ({ digest }) => Console.log(digest))"
        ]
      }

const ls = Command.make(
  "ls",
  {
    place: Argument.String("repository").pipe(
      Argument.withDescription("registry/repository, or a registry for its deleted repositories")
    )
  },
  ({ place }) =>
    Verb.answer(
      { what: `list the trash of ${place}`, program: listProgram(place) },
      Effect.gen(function* () {
        const found = yield* Place.isRegistry(place) ? ofRegistry(place) : ofRepository(place)
        yield* tellEmpty(found)
        return listAnswer(found)
      })
    )
).pipe(
  Verb.described({
    does: "List deleted artifacts that can be restored",
    examples: [
      { command: "eacr trash ls myregistry.azurecr.io/shop/api", description: "List deleted images and their tags" }
    ]
  })
)

const isThere = (outcome: Trash.Outcome): boolean => outcome === "restored" || outcome === "present"

const restoreAnswer = (steps: ReadonlyArray<Trash.RestoredStep>, isDryRun: boolean): Answer.Answer => {
  const isWhole = steps.every(
    ({ outcome, tags, unread }) => isThere(outcome) && unread === undefined && tags.every((tag) => isThere(tag.outcome))
  )
  const said = (outcome: Trash.Outcome) => (outcome === "restored" ? outcomeOf(isDryRun, outcome) : outcome)
  return Answer.make(
    restoreDocument,
    { steps, isDryRun },
    {
      text: () =>
        steps.flatMap(({ detail, digest, outcome, tags, unread }) => [
          [said(outcome), digest, detail ?? unread ?? ""].join("\t").trimEnd(),
          ...tags.map((tag) => [said(tag.outcome), tag.name, tag.detail ?? ""].join("\t").trimEnd())
        ]),
      quiet: steps.filter(({ outcome }) => isThere(outcome)).map(({ digest }) => digest),
      code: isWhole ? exitCodes.done : exitCodes.partly
    }
  )
}

const servicesOf = ({ content, registry }: Registries.Opened) =>
  Context.make(ContainerRegistry.ContainerRegistry, registry).pipe(
    Context.add(RegistryContent.RegistryContent, content)
  )

const byDeletion = Order.mapInput(DateTime.Order, ({ deletedOn }: SoftDeleted.SoftDeletedTag) => deletedOn)

/** What would be restored, as far as it can be known: the images of a deleted index can only be read once it is restored. */
const foreseen = Effect.fnUntraced(function* ({ registry, repository }: Registries.Opened, wanted: string) {
  const tags = yield* Stream.runCollect(registry.deletedTags(repository))
  const newest = Arr.sort(
    tags.filter(({ name }) => name === wanted),
    byDeletion
  ).at(-1)
  const manifests = yield* Stream.runCollect(registry.deletedManifests(repository))
  const root = manifests.find(({ digest }) => digest === (newest?.digest ?? wanted))
  if (root === undefined) return yield* new NotThere({ description: `the trash of ${repository} has no ${wanted}` })
  const names = new Set(tags.filter(({ digest }) => digest === root.digest).map(({ name }) => name))
  const taken = yield* Effect.filter([...names], (name) =>
    Effect.map(Locks.ifTold(registry.tagProperties(repository, name)), Option.isSome)
  )
  const step: Trash.RestoredStep = {
    digest: root.digest,
    outcome: "restored",
    tags: Array.from(names, (name) => ({ name, outcome: taken.includes(name) ? "taken" : "restored" }))
  }
  return [step]
})

/** Warns of manifests that stay: the registry does not tell the subjects of deleted manifests, so only tags lead to referrers. */
const tellRest = ({ reference, registry, repository }: Registries.Opened) =>
  Effect.gen(function* () {
    const left = yield* Stream.runCount(registry.deletedManifests(repository))
    if (left === 0) return
    const place = `${reference.registry}/${repository}`
    yield* Output.tell(
      `warning: ${left} ${left === 1 ? "manifest stays" : "manifests stay"} in the trash of ${place}. Signatures and SBOMs without a tag may be among them: eacr trash ls lists them, and each is restored by its digest`
    )
  })

const restoreProgram = (artifact: string): Program.Program => ({
  imports: { [Program.artifacts]: ["Trash"], [Program.client]: ["Registries"], [Program.effect]: ["Console"] },
  lines: [
    "const registries = yield* Registries.Registries",
    `const { reference, repository, tagOrDigest } = yield* registries.open(${Program.literal(artifact)})`,
    "const { steps } = yield* Effect.provide(",
    "  Trash.restore(repository, tagOrDigest),",
    "  registries.layerFor(reference.registry)",
    ")",
    "yield* Console.log(steps)"
  ]
})

const restore = Command.make(
  "restore",
  {
    artifact: Argument.String("artifact").pipe(Argument.withDescription("registry/repository:tag, or with @digest")),
    dryRun: dryRunFlag
  },
  ({ artifact, dryRun }) =>
    Verb.answer(
      { what: `restore ${artifact}`, program: restoreProgram(artifact), isDryRun: dryRun },
      Effect.gen(function* () {
        const opened = yield* Registries.open(artifact)
        const { digest, tag } = opened.reference
        const wanted = digest ?? tag
        if (wanted === undefined) return yield* new WrongCall({ description: "say which tag or digest" })
        if (dryRun) return restoreAnswer(yield* foreseen(opened, wanted), dryRun)
        const { steps } = yield* Effect.provideContext(Trash.restore(opened.repository, wanted), servicesOf(opened))
        yield* tellRest(opened)
        return restoreAnswer(steps, dryRun)
      })
    )
).pipe(
  Verb.described({
    does: "Restore a deleted artifact with its platforms, its tags and the signatures that cosign stored as tags. Restore other referrers by their digests",
    examples: [{ command: "eacr trash restore myregistry.azurecr.io/shop/api:v1.4.0", description: "Undo a deletion" }]
  })
)

export const trash = Command.make("trash").pipe(
  Command.withDescription("List and restore deleted artifacts on registries of Azure with soft delete"),
  Command.withSubcommands([ls, restore])
)
