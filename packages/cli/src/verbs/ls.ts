/**
 * Lists the repositories of a registry, or the tags of a repository, a layout or an archive.
 */
import * as Reference from "@effect-acr/client/Reference"
import * as Registries from "@effect-acr/client/Registries"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Answer from "../answer.ts"
import { WrongCall } from "../failure.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import * as Verb from "../verb.ts"

export const document = Answer.document({
  repositories: Schema.Array(Schema.String),
  tags: Schema.Array(Schema.String)
})

const isRegistry = Schema.is(Reference.Registry)

const program = (name: string, flags: Place.Flags): Program.Program =>
  isRegistry(name)
    ? {
        imports: { [Program.client]: ["Registries", "RegistryContent"], [Program.effect]: ["Console", "Stream"] },
        lines: [
          "const registries = yield* Registries.Registries",
          `const content = yield* Effect.provide(RegistryContent.RegistryContent, registries.layerFor(${Program.literal(name)}))`,
          "yield* Stream.runForEach(content.repositories(), (repository) => Console.log(repository))"
        ]
      }
    : Program.join(Place.written(flags, name), {
        imports: { [Program.effect]: ["Console", "Stream"] },
        lines: ["yield* Stream.runForEach(store.tags, (tag) => Console.log(tag))"]
      })

export const ls = Command.make(
  "ls",
  {
    place: Argument.String("place").pipe(
      Argument.withDescription("A registry, or registry/repository. None with --layout or --archive"),
      Argument.optional
    ),
    ...Place.readFlags
  },
  ({ place, ...flags }) =>
    Verb.run(
      {
        what: `list ${Option.getOrElse(place, () => "the place")}`,
        program: program(
          Option.getOrElse(place, () => ""),
          flags
        )
      },
      Effect.gen(function* () {
        const name = Option.getOrElse(place, () => "")
        if (name === "" && Option.isNone(flags.layout) && Option.isNone(flags.archive)) {
          return yield* new WrongCall({
            description: "it has to be said what to list: a registry, or registry/repository"
          })
        }
        const isOfRegistry = isRegistry(name)
        const names = isOfRegistry
          ? Stream.unwrap(
              Effect.gen(function* () {
                const registries = yield* Registries.Registries
                const content = yield* Effect.provide(RegistryContent.RegistryContent, registries.layerFor(name))
                return content.repositories()
              })
            )
          : Stream.unwrap(Effect.map(Place.reader(flags, name), ({ store }) => store.tags))
        yield* Answer.printList(names, {
          jsonLine: (item) => Effect.succeed(JSON.stringify(item)),
          line: (item) => item,
          quiet: (item) => item,
          hasColumns: false,
          whole: (items) =>
            Answer.make(
              document,
              isOfRegistry ? { repositories: items, tags: [] } : { repositories: [], tags: items },
              { text: () => items }
            )
        })
      })
    )
).pipe(
  Verb.described({
    does: "List repositories or tags",
    examples: [
      { command: "eacr ls myregistry.azurecr.io", description: "The repositories of a registry" },
      { command: "eacr ls myregistry.azurecr.io/shop/api", description: "The tags of a repository" }
    ]
  })
)
