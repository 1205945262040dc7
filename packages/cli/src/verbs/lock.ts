/**
 * Locks and unlocks repositories, tags and manifests of Azure Container Registry.
 */
import * as ChangeableAttributes from "@effect-acr/client/ChangeableAttributes"
import * as Reference from "@effect-acr/client/Reference"
import * as Registries from "@effect-acr/client/Registries"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Answer from "../answer.ts"
import { dryRunFlag, outcome } from "../dryRun.ts"
import * as Program from "../program.ts"
import * as Verb from "../verb.ts"

export const document = Answer.document({
  kind: Schema.Literals(["repository", "tag", "manifest"]),
  name: Schema.String,
  ...ChangeableAttributes.fields,
  isDryRun: Schema.Boolean
})

type Attribute = keyof ChangeableAttributes.Update

const attributes = { write: "canWrite", delete: "canDelete", list: "canList", read: "canRead" } as const

type Operation = keyof typeof attributes

const operations = ["write", "delete", "list", "read"] as const satisfies ReadonlyArray<Operation>

/** The object of a name: a tag, a manifest by its digest, or a repository. */
const objectOf = ({ reference, registry, repository }: Registries.Opened) => {
  const { digest, tag } = reference
  if (digest !== undefined) {
    return {
      kind: "manifest" as const,
      now: registry.manifestProperties(repository, digest),
      update: (change: ChangeableAttributes.Update) => registry.updateManifest(repository, digest, change)
    }
  }
  if (tag !== undefined) {
    return {
      kind: "tag" as const,
      now: registry.tagProperties(repository, tag),
      update: (change: ChangeableAttributes.Update) => registry.updateTag(repository, tag, change)
    }
  }
  return {
    kind: "repository" as const,
    now: registry.repositoryProperties(repository),
    update: (change: ChangeableAttributes.Update) => registry.updateRepository(repository, change)
  }
}

const changeOf = (wanted: ReadonlyArray<Operation>, isAllowed: boolean): ChangeableAttributes.Update =>
  Object.fromEntries(wanted.map((operation): [Attribute, boolean] => [attributes[operation], isAllowed]))

const change = (name: string, wanted: ReadonlyArray<Operation>, isAllowed: boolean, isDryRun: boolean) =>
  Effect.gen(function* () {
    const { kind, now, update } = objectOf(yield* Registries.open(name))
    const wish = changeOf(wanted, isAllowed)
    const { canDelete, canList, canRead, canWrite } = isDryRun ? { ...(yield* now), ...wish } : yield* update(wish)
    const allowed = { canWrite, canDelete, canList, canRead }
    const forbidden = operations.filter((operation) => !allowed[attributes[operation]])
    return Answer.make(
      document,
      { kind, name, ...allowed, isDryRun },
      {
        text: () => [
          `${name}\t${kind}\t${outcome(isDryRun, forbidden.length === 0 ? "unlocked" : `locked against ${forbidden.join(", ")}`)}`
        ],
        quiet: [name]
      }
    )
  })

/** The call of the library that changes the object. */
const updateOf = (name: string): string => {
  const { digest, tag } = Option.getOrElse(
    Result.getSuccess(Reference.parse(name)),
    (): Partial<Reference.Reference> => ({})
  )
  if (digest !== undefined) return `updateManifest(repository, ${Program.literal(digest)}, `
  return tag === undefined ? "updateRepository(repository, " : `updateTag(repository, ${Program.literal(tag)}, `
}

const program = (name: string, wish: ChangeableAttributes.Update): Program.Program => ({
  imports: { [Program.client]: ["Registries"] },
  lines: [
    `const { registry, repository } = yield* Registries.open(${Program.literal(name)})`,
    `yield* registry.${updateOf(name)}${Program.literal(wish)})`
  ]
})

const changed = (verb: string, name: string, wanted: ReadonlyArray<Operation>, isAllowed: boolean, isDryRun: boolean) =>
  Verb.answer(
    { what: `${verb} ${name}`, program: program(name, changeOf(wanted, isAllowed)), isDryRun },
    change(name, wanted, isAllowed, isDryRun)
  )

const object = Argument.String("object").pipe(
  Argument.withDescription("registry/repository:tag for a tag, with @digest for a manifest, or a repository alone")
)

const against = (description: string) =>
  Flag.Literals("against", operations).pipe(
    Flag.withMetavar("OPERATION"),
    Flag.withDescription(description),
    Flag.atLeast(0)
  )

export const lock = Command.make(
  "lock",
  { object, against: against("What to forbid; it can be repeated. Defaults to write and delete"), dryRun: dryRunFlag },
  ({ against, dryRun, object }) =>
    changed("lock", object, against.length === 0 ? ["write", "delete"] : against, false, dryRun)
).pipe(
  Verb.described({
    does: "Lock a tag, a manifest or a repository of Azure Container Registry",
    examples: [
      {
        command: "eacr lock myregistry.azurecr.io/shop/api:v1.4.0",
        description: "Make a tag immutable and undeletable"
      }
    ]
  })
)

export const unlock = Command.make(
  "unlock",
  { object, against: against("What to allow again; it can be repeated. Defaults to all"), dryRun: dryRunFlag },
  ({ against, dryRun, object }) => changed("unlock", object, against.length === 0 ? operations : against, true, dryRun)
).pipe(
  Verb.described({
    does: "Unlock a tag, a manifest or a repository of Azure Container Registry",
    examples: [{ command: "eacr unlock myregistry.azurecr.io/shop/api:v1.4.0", description: "Allow changes again" }]
  })
)
