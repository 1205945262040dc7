/**
 * Names for the word at the cursor: registries with a login, repositories, and tags of repositories and layouts.
 */
import { printable } from "@effect-acr/client/Printable"
import * as Registries from "@effect-acr/client/Registries"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import * as DockerConfig from "@effect-acr/node/DockerConfig"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Place from "../place.ts"
import { cached } from "./cache.ts"
import type { Wanted } from "./wanted.ts"

/** A longer list does not help to choose, and takes more requests than there is time for. */
const maxNames = 2000

const contentOf = Effect.fnUntraced(function* (registry: string) {
  const registries = yield* Registries.Registries
  return yield* Effect.provide(RegistryContent.RegistryContent, registries.layerFor(registry))
})

/** Whether a shell can take the name as it is: unprintable characters could control it, and a leading dash makes a flag. */
const isPlain = (name: string): boolean => name === printable(name) && !/^-|\s/.test(name)

const namesOf = <E, R>(names: Stream.Stream<string, E, R>): Effect.Effect<ReadonlyArray<string>, E, R> =>
  names.pipe(Stream.take(maxNames), Stream.filter(isPlain), Stream.runCollect)

const repositoriesOf = (registry: string) =>
  cached(
    registry,
    Effect.flatMap(contentOf(registry), (content) => namesOf(content.repositories()))
  )

const tagsOf = (registry: string, repository: string) =>
  cached(
    `${registry}/${repository}:`,
    Effect.flatMap(contentOf(registry), (content) => namesOf(content.tags(repository)))
  )

const tagged = (registry: string, repository: string) =>
  Effect.map(tagsOf(registry, repository), (tags) => tags.map((tag) => `${registry}/${repository}:${tag}`))

/** The parts of an unfinished reference. A colon before the first slash belongs to a port. */
const partsOf = (word: string) => {
  const slash = word.indexOf("/")
  if (slash === -1) return { registry: word, repository: undefined, hasTag: false }
  const rest = word.slice(slash + 1)
  const end = rest.search(/[:@]/)
  return {
    registry: word.slice(0, slash),
    repository: end === -1 ? rest : rest.slice(0, end),
    hasTag: end !== -1
  }
}

const tagsOfLayout = Effect.fnUntraced(function* (folder: string) {
  const { store } = yield* Place.reader({ layout: Option.some(folder) }, "")
  return yield* namesOf(store.tags)
})

const all = Effect.fnUntraced(function* (wanted: Wanted, word: string) {
  if (wanted === "nothing") return []
  if (typeof wanted === "object") return yield* tagsOfLayout(wanted.layout)
  const { hasTag, registry, repository } = partsOf(word)
  if (repository === undefined) {
    const names = yield* DockerConfig.registries
    return names.filter(isPlain).map((name) => (wanted === "registries" ? name : `${name}/`))
  }
  if (wanted === "registries") return []
  if (hasTag) return wanted === "artifacts" ? yield* tagged(registry, repository) : []
  const repositories = yield* repositoriesOf(registry)
  const tags = wanted === "artifacts" && repositories.includes(repository) ? yield* tagged(registry, repository) : []
  return [...repositories.map((name) => `${registry}/${name}`), ...tags]
})

/** Finds the candidates for the word at the cursor. */
export const candidates = (wanted: Wanted, word: string) =>
  Effect.map(all(wanted, word), (names) => names.filter((name) => name.startsWith(word)))
