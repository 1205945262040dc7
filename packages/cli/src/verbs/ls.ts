/**
 * Lists the repositories of a registry, or the tags of a repository, a layout or an archive.
 */
import type { Reader } from "@effect-acr/artifacts/ContentStore"
import type { GraphError } from "@effect-acr/artifacts/Graph"
import * as NamePatterns from "@effect-acr/artifacts/NamePatterns"
import * as TagList from "@effect-acr/artifacts/TagList"
import * as Registries from "@effect-acr/client/Registries"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import { printable } from "@effect-acr/client/Printable"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Answer from "../answer.ts"
import { NotThere, type Problem, type StoreError, WrongCall } from "../problem.ts"
import { readingOf } from "../reading.ts"
import { cosignKinds } from "../leftBehind.ts"
import * as Place from "../place.ts"
import * as Program from "../program.ts"
import { size } from "../size.ts"
import { table, type View } from "../table.ts"
import * as Verb from "../verb.ts"

export const document = Answer.document({
  repositories: Schema.Array(Schema.String),
  tags: Schema.Array(Schema.String),
  /** The artifacts of the tags, with `--long`. */
  details: Schema.optionalKey(Schema.Array(TagList.TagEntry))
})

/** Removes the slash after the name of a registry. */
const withoutSlash = (name: string): string => (Place.isRegistry(name.slice(0, -1)) ? name.replace(/\/$/, "") : name)

const orders = ["name", "newest", "oldest"] as const

const flags = {
  long: Flag.Boolean("long").pipe(
    Flag.withAlias("l"),
    Flag.withDescription(
      "Show the digest, the size, the time, the platforms and the lock of each tag. Azure Container Registry reports sizes and when a tag changed. Elsewhere, it is the size of all parts and when the image was created"
    ),
    Flag.withoutNegation,
    Flag.withDefault(false)
  ),
  include: Flag.String("include").pipe(
    Flag.withMetavar("GLOB"),
    Flag.withDescription("List only names that match this glob as a whole, such as 'v1.*'. It can be repeated"),
    Flag.atLeast(0)
  ),
  exclude: Flag.String("exclude").pipe(
    Flag.withMetavar("GLOB"),
    Flag.withDescription("Leave out names that match this glob as a whole. It can be repeated"),
    Flag.atLeast(0)
  ),
  sort: Flag.Literals("sort", orders).pipe(
    Flag.withDescription("The order: name, newest or oldest. Defaults to the order of the registry"),
    Flag.optional
  ),
  limit: Flag.String("limit").pipe(
    Flag.withMetavar("N"),
    Flag.filterMap(
      (text) => (/^[1-9]\d{0,14}$/.test(text) ? Option.some(Number(text)) : Option.none()),
      () => "Expected a whole number of at least 1"
    ),
    Flag.withDescription("List at most this many names"),
    Flag.optional
  )
}

/** Which names to list, and how. */
interface Wish {
  readonly long: boolean
  readonly include: ReadonlyArray<string>
  readonly exclude: ReadonlyArray<string>
  readonly sort: Option.Option<(typeof orders)[number]>
  readonly limit: Option.Option<number>
}

const refuse = (description: string) => Effect.fail(new WrongCall({ description }))

/** Refuses flags that contradict each other, and compiles the globs. */
const checked = (
  { exclude, include, long, sort }: Wish,
  isOfRegistry: boolean
): Effect.Effect<(name: string) => boolean, WrongCall> => {
  const isByTime = Option.isSome(sort) && sort.value !== "name"
  if (isOfRegistry && (long || isByTime)) {
    return refuse("--long and --sort by time are for the tags of a repository: name one")
  }
  return Result.match(NamePatterns.compile({ include, exclude }), {
    onFailure: refuse,
    onSuccess: (isWanted) => Effect.succeed(isWanted)
  })
}

const limited =
  ({ limit }: Pick<Wish, "limit">) =>
  <A, E, R>(items: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
    Option.isSome(limit) ? Stream.take(items, limit.value) : items

/**
 * Tags that tools make for what is attached to a manifest, where a registry has no referrers API (OCI distribution
 * specification, "Referrers Tag Schema") and by cosign. Other commands list them too, without saying what they are.
 */
const attached: ReadonlyArray<readonly [pattern: RegExp, note: string]> = [
  [/^sha256-[0-9a-f]{64}$/, "list of referrers"],
  ...cosignKinds.map(({ holds, suffix }) => [new RegExp(`^sha256-[0-9a-f]{64}\\${suffix}$`), holds] as const)
]

const noteOf = ({ isLocked, name }: TagList.TagEntry): string =>
  [
    ...(isLocked === true ? ["locked"] : []),
    ...attached.flatMap(([pattern, note]) => (pattern.test(name) ? [note] : []))
  ].join(", ")

const rowOf =
  (view: Pick<View, "isTerminal">) =>
  (entry: TagList.TagEntry): ReadonlyArray<string> => [
    entry.name,
    entry.digest,
    entry.sizeBytes === undefined ? "" : size(view, entry.sizeBytes),
    entry.time === undefined ? "" : DateTime.formatIso(entry.time),
    entry.platforms.join(","),
    noteOf(entry)
  ]

/** The details from Azure Container Registry: only it has locks, sizes, and the times at which tags changed. */
const headerOf = (entries: ReadonlyArray<TagList.TagEntry>): ReadonlyArray<string> => {
  const isOfAcr = entries.some(({ isLocked }) => isLocked !== undefined)
  const measures = isOfAcr ? ["REGISTRY SIZE", "TAG CHANGED"] : ["TOTAL SIZE", "CREATED"]
  return ["TAG", "DIGEST", ...measures, "PLATFORMS", "NOTE"]
}

const encodeEntry = (entry: TagList.TagEntry) =>
  Effect.orDie(Schema.encodeUnknownEffect(Schema.fromJsonString(TagList.TagEntry))(entry))

/** Prints names with details. */
const printEntries = (entries: ReadonlyArray<TagList.TagEntry>) =>
  Answer.printList(Stream.fromIterable(entries), {
    jsonLine: encodeEntry,
    line: ({ name }) => printable(name),
    quiet: ({ name }) => printable(name),
    hasColumns: true,
    whole: (items) =>
      Answer.make(
        document,
        { repositories: [], tags: items.map(({ name }) => name), details: items },
        { text: (view) => table(view, headerOf(items), items.map(rowOf(view))) }
      )
  })

/** Prints names as they arrive. */
const printNames = <E, R>(names: Stream.Stream<string, E, R>, isOfRegistry: boolean) =>
  Answer.printList(names, {
    jsonLine: (item) => Effect.succeed(JSON.stringify(item)),
    line: printable,
    quiet: printable,
    hasColumns: false,
    whole: (items) =>
      Answer.make(document, isOfRegistry ? { repositories: items, tags: [] } : { repositories: [], tags: items }, {
        text: () => items.map(printable)
      })
  })

const repositories = (loginServer: string) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const registries = yield* Registries.Registries
      const content = yield* Effect.provide(RegistryContent.RegistryContent, registries.layerFor(loginServer))
      return content.repositories()
    })
  )

const orderOf = ({ sort }: Pick<Wish, "sort">) => Option.getOrElse(sort, () => "name" as const)

/** All tags with details. */
const entriesOf = ({ registry, store }: Place.Opened<Reader<StoreError>>, options: TagList.TagListOptions) =>
  Option.match(registry, {
    onNone: () => TagList.read(store, options),
    onSome: (opened): Effect.Effect<ReadonlyArray<TagList.TagEntry>, GraphError | StoreError> =>
      Effect.tap(TagList.ofRegistry(opened, options), ({ length }) =>
        length === 0 ? expectThere(opened) : Effect.void
      )
  })

/** Fails if the registry has no such repository, whose list of tags would be empty. */
const expectThere = ({ content, repository }: Registries.Opened) => Stream.runHead(content.tags(repository))

/** The tags as they arrive, unless their order needs all of them. */
const namesOf = (
  { registry, store }: Place.Opened<Reader<StoreError>>,
  options: TagList.TagListOptions
): Stream.Stream<string, GraphError | StoreError> => {
  if (Option.isSome(registry)) return TagList.names(registry.value, options)
  if (options.order === "name") return Stream.filter(store.tags, options.isWanted ?? constTrue)
  return Stream.unwrap(
    Effect.map(TagList.read(store, options), (entries) => Stream.fromIterable(entries.map(({ name }) => name)))
  )
}

/** Sorts names by characters if the call asks for it. The order of a store may be another one. */
const inOrder =
  ({ sort }: Pick<Wish, "sort">) =>
  <E, R>(names: Stream.Stream<string, E, R>): Stream.Stream<string, E, R> =>
    Option.contains(sort, "name")
      ? Stream.unwrap(Effect.map(Stream.runCollect(names), (all) => Stream.fromIterable(all.toSorted())))
      : names

/** The help for a name that is no repository, but the beginning of names of repositories. */
const withBelow =
  ({ registry }: Place.Opened<unknown>) =>
  <E extends Problem>(error: E) =>
    error._tag === "RegistryError" && error.reason._tag === "NotFound" && Option.isSome(registry)
      ? new NotThere({ description: readingOf(error).why, help: belowHelp(registry.value) })
      : error

const belowHelp = ({ reference: { registry, repository } }: Registries.Opened): string =>
  `what repositories are below it: eacr ls ${registry} --include '${repository}/*'`

const list = Effect.fnUntraced(function* (name: string, wish: Wish, flags: Place.Flags) {
  const isInFile = Place.isInFiles(flags)
  if (name === "" && !isInFile) return yield* refuse("say what to list: a registry, or registry/repository")
  if (isInFile && name !== "") return yield* refuse("ls lists all of a layout or an archive: remove the name")
  if (Place.isArtifact(name)) {
    return yield* refuse(`ls lists a repository, and this is an artifact, which show describes: eacr show ${name}`)
  }
  const isOfRegistry = Place.isRegistry(name)
  const isWanted = yield* checked(wish, isOfRegistry)
  if (isOfRegistry) {
    const wanted = Stream.filter(repositories(name), (repository) => isWanted(repository))
    return yield* printNames(wanted.pipe(inOrder(wish), limited(wish)), true)
  }
  const opened = yield* Place.reader(flags, name)
  const options = { isWanted, order: orderOf(wish) }
  if (!wish.long) {
    const names = namesOf(opened, options).pipe(inOrder(wish), limited(wish))
    return yield* printNames(Stream.mapError(names, withBelow(opened)), false)
  }
  const entries = yield* Effect.mapError(entriesOf(opened, options), withBelow(opened))
  yield* printEntries(Option.isSome(wish.limit) ? entries.slice(0, wish.limit.value) : entries)
})

/** The part of a program that compiles globs, and the name of its filter. */
const writtenFilter = ({ exclude, include }: Wish): Program.Program & { readonly isWanted: ReadonlyArray<string> } => {
  if (include.length === 0 && exclude.length === 0) return { imports: {}, lines: [], isWanted: [] }
  const globs = Program.literal({ include, exclude })
  return {
    imports: { [Program.artifacts]: ["NamePatterns"] },
    lines: [`const isWanted = yield* Effect.fromResult(NamePatterns.compile(${globs}))`],
    isWanted: ["isWanted"]
  }
}

/** Prints the items of a stream, filtered and up to the limit. */
const printed = (stream: string, steps: ReadonlyArray<string>, { limit }: Wish): Program.Program => {
  const all = [...steps, ...(Option.isSome(limit) ? [`Stream.take(${limit.value})`] : [])]
  const code = all.length === 0 ? stream : `${stream}.pipe(${all.join(", ")})`
  return {
    imports: { [Program.effect]: ["Console", "Stream"] },
    lines: [`yield* Stream.runForEach(${code}, (name) => Console.log(name))`]
  }
}

const sortStep = "(names) => Stream.fromIterableEffect(Effect.map(Stream.runCollect(names), (all) => all.toSorted()))"

const program = (name: string, wish: Wish, flags: Place.Flags): Program.Program => {
  const filter = writtenFilter(wish)
  const steps = [
    ...filter.isWanted.map((isWanted) => `Stream.filter(${isWanted})`),
    ...(Option.contains(wish.sort, "name") ? [sortStep] : [])
  ]
  if (Place.isRegistry(name)) {
    const opened: Program.Program = {
      imports: { [Program.client]: ["Registries", "RegistryContent"] },
      lines: [
        "const registries = yield* Registries.Registries",
        `const content = yield* Effect.provide(RegistryContent.RegistryContent, registries.layerFor(${Program.literal(name)}))`
      ]
    }
    return Program.join(opened, filter, printed("content.repositories()", steps, wish))
  }
  const order = orderOf(wish)
  if (!wish.long && order === "name") {
    return Program.join(Place.written(flags, name), filter, printed("store.tags", steps, wish))
  }
  const isOfRegistry = !Place.isInFiles(flags)
  const options = `{ ${[...filter.isWanted, `order: ${Program.literal(order)}`].join(", ")} }`
  const opened: Program.Program = isOfRegistry
    ? {
        imports: { [Program.client]: ["Registries"] },
        lines: [`const opened = yield* Registries.open(${Program.literal(name)})`]
      }
    : Place.written(flags, name)
  const read = isOfRegistry ? `TagList.ofRegistry(opened, ${options})` : `TagList.read(store, ${options})`
  const listed: Program.Program = {
    imports: { [Program.artifacts]: ["TagList"] },
    lines: [`const tags = yield* ${read}`]
  }
  const tags = Option.isSome(wish.limit) ? `tags.slice(0, ${wish.limit.value})` : "tags"
  return Program.join(
    opened,
    filter,
    listed,
    Program.print(wish.long ? tags : `${tags}.map(({ name }) => name).join("\\n")`)
  )
}

export const ls = Command.make(
  "ls",
  {
    place: Argument.String("place").pipe(
      Argument.withDescription("A registry, or registry/repository. None with --layout or --archive"),
      Argument.optional
    ),
    ...flags,
    ...Place.readFlags
  },
  ({ archive, layout, place, ...wish }) => {
    const name = withoutSlash(Option.getOrElse(place, () => ""))
    const from = { archive, layout }
    return Verb.run(
      { what: `list ${Place.shown(from, name)}`, program: program(name, wish, from) },
      list(name, wish, from)
    )
  }
).pipe(
  Verb.described({
    does: "List repositories or tags",
    examples: [
      { command: "eacr ls myregistry.azurecr.io", description: "The repositories of a registry" },
      { command: "eacr ls myregistry.azurecr.io/shop/api", description: "The tags of a repository" },
      {
        command: "eacr ls myregistry.azurecr.io/shop/api --long --sort newest --limit 10",
        description: "The ten newest tags, with digest, size, time, platforms and lock"
      },
      {
        command: "eacr ls myregistry.azurecr.io/shop/api --include 'v*' --exclude '*-rc*'",
        description: "Releases without candidates"
      }
    ]
  })
)
