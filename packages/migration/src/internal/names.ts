/**
 * Checks the names of target repositories: whether they are valid, and whether they collide.
 */
import { resolve } from "node:path"
import * as RepositoryName from "@effect-acr/client/RepositoryName"
import * as Result from "effect/Result"

/** A place of the rules, which import this module. */
type Place = { readonly registry: string } | { readonly layouts: string } | { readonly archives: string }

/** A repository of a source with its name at the target. */
export interface Named {
  readonly route: number
  readonly source: string
  readonly from: Place
  readonly to: Place
  readonly target: string
}

/** The first entry of `rename` whose prefix the name of a repository has. */
export const renamingOf = <A extends { readonly prefix: string }>(
  rename: ReadonlyArray<A>,
  repository: string
): A | undefined => rename.find(({ prefix }) => repository.startsWith(prefix))

/** Why a repository cannot have its name at the target. */
export interface NameProblem {
  readonly problem: "collision" | "invalidName"
  readonly detail: string
}

/** Whether the problem of a repository is that of its name. */
export const isOfName = (problem: string | null): boolean => problem === "collision" || problem === "invalidName"

export const kindOf = (place: Place): "registry" | "layouts" | "archives" =>
  "registry" in place ? "registry" : "layouts" in place ? "layouts" : "archives"

/** The name of a place as in the rules. */
export const nameOf = (place: Place): string =>
  "registry" in place ? place.registry : "layouts" in place ? place.layouts : place.archives

/** The name of a place, equal for equal places: `backup` and `./backup/` are one folder. */
export const placeName = (place: Place): string =>
  "registry" in place ? place.registry.toLowerCase() : resolve(nameOf(place))

export const isSamePlace = (one: Place, other: Place): boolean =>
  kindOf(one) === kindOf(other) && placeName(one) === placeName(other)

/** OCI distribution specification: many clients limit the host with the name to 255 characters. */
const mostCharacters = 255

const nameProblem = ({ target, to }: Named): NameProblem | undefined => {
  if (Result.isFailure(RepositoryName.parse(target))) {
    const hint = target === target.toLowerCase() ? "" : ": names of repositories are in lower case, so rename it"
    return { problem: "invalidName", detail: `${target} is not a name of a repository${hint}` }
  }
  if ("archives" in to && encodeURIComponent(target).length > mostCharacters) {
    return { problem: "invalidName", detail: `${target} is too long for the name of a folder of archives` }
  }
  const whole = "registry" in to ? `${to.registry}/${target}` : target
  return whole.length > mostCharacters
    ? { problem: "invalidName", detail: `${whole} has more than ${mostCharacters} characters` }
    : undefined
}

/** Names of a layout's own files and folders. */
const inLayout: ReadonlySet<string> = new Set(["blobs", "index.json", "ingest", "oci-layout"])

const archive = ".tar"

/** The repository whose files are in the place of a repository's folder. */
const obstacleOf = ({ target, to }: Named, isTarget: (target: string) => boolean): string | undefined => {
  const parts = target.split("/")
  for (const [index, part] of parts.entries()) {
    const above = parts.slice(0, index)
    const found =
      "layouts" in to && inLayout.has(part)
        ? above.join("/")
        : "archives" in to && part.endsWith(archive) && index < parts.length - 1
          ? [...above, part.slice(0, -archive.length)].join("/")
          : undefined
    if (found !== undefined && isTarget(found)) return found
  }
  return undefined
}

const keyIn = (place: Place, name: string): string => `${placeName(place)}\n${name.toLowerCase()}`

const keyOf = ({ target, to }: Named): string => keyIn(to, target)

/** Whether a repository gets another name in the place where it is. */
const isRenamedInPlace = ({ from, source, target, to }: Named): boolean => isSamePlace(from, to) && source !== target

/** The problems of names, by the index of the repository. A collision excludes all its sources, so that none wins by chance. */
export const nameProblems = (repositories: ReadonlyArray<Named>): ReadonlyMap<number, NameProblem> => {
  const byTarget = new Map<string, Array<number>>()
  for (const [index, named] of repositories.entries()) {
    const key = keyOf(named)
    byTarget.set(key, [...(byTarget.get(key) ?? []), index])
  }
  const renamed = new Map(
    repositories.filter(isRenamedInPlace).map((named) => [keyIn(named.from, named.source), named])
  )
  const collisionOf = (index: number, named: Named): string | undefined => {
    const others = (byTarget.get(keyOf(named)) ?? []).flatMap((other) =>
      other === index ? [] : (repositories[other] ?? [])
    )
    if (others.length > 0) {
      // Sources of two routes may have one name.
      const names = others.map(({ route, source }) =>
        route === named.route ? source : `${source} of routes[${route}]`
      )
      return `${named.target} is the target of ${names.join(", ")} as well`
    }
    const overwritten = renamed.get(keyOf(named))
    if (overwritten !== undefined) {
      return `${named.target} would be overwritten, and is to become ${overwritten.target}`
    }
    const [overwriting] = isRenamedInPlace(named) ? (byTarget.get(keyIn(named.from, named.source)) ?? []) : []
    if (overwriting !== undefined) return `${named.source} would be overwritten by ${repositories[overwriting]?.source}`
    const obstacle = obstacleOf(named, (target) => byTarget.has(keyOf({ ...named, target })))
    return obstacle === undefined ? undefined : `${named.target} is where ${obstacle} has its files: rename it`
  }
  const problems = new Map<number, NameProblem>()
  for (const [index, named] of repositories.entries()) {
    const collision = collisionOf(index, named)
    const found: NameProblem | undefined =
      collision === undefined ? nameProblem(named) : { problem: "collision", detail: collision }
    if (found !== undefined) problems.set(index, found)
  }
  return problems
}

/** The next path segments after a name in others: `shop/api/tools` gives `tools` for `shop/api`. */
export const nestedNames = (names: Iterable<string>): ((name: string) => ReadonlySet<string>) => {
  const all = new Map<string, Set<string>>()
  for (const name of names) {
    const parts = name.split("/")
    for (const [index, part] of parts.entries()) {
      if (index === 0) continue
      const before = parts.slice(0, index).join("/")
      const found = all.get(before)
      if (found === undefined) all.set(before, new Set([part]))
      else found.add(part)
    }
  }
  const none: ReadonlySet<string> = new Set()
  return (name) => all.get(name) ?? none
}
