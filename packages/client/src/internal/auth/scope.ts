/**
 * Normalizes scopes. The same rights have many spellings (`pull,push` and `push,pull`, one scope or two), so they are
 * normalized before they are the key of a token.
 */
import type { TokenScope } from "../../TokenScope.ts"

/**
 * The same rights, normalized: one scope for each resource, actions and resources sorted, without duplicates.
 */
export const normalise = (scopes: ReadonlyArray<TokenScope>): ReadonlyArray<TokenScope> => {
  const actions = new Map<string, Set<string>>()
  // Other forms are passed on unchanged.
  const others = new Set<TokenScope>()
  for (const scope of scopes) {
    const colon = scope.lastIndexOf(":")
    const named = scope
      .slice(colon + 1)
      .split(",")
      .filter((action) => action !== "")
    if (colon === -1 || named.length === 0) {
      others.add(scope)
    } else {
      const resource = scope.slice(0, colon)
      actions.set(resource, new Set([...(actions.get(resource) ?? []), ...named]))
    }
  }
  const known = Array.from(actions, ([resource, named]) => `${resource}:${Array.from(named).toSorted().join(",")}`)
  return [...others, ...known].toSorted()
}

/** Whether a scope is for all repositories. */
export const isWildcard = (scope: TokenScope): boolean => parse(scope).resource === anyRepository

/** The scopes that a challenge asks for: any number, separated by spaces. */
export const fromChallenge = (scope: string): ReadonlyArray<TokenScope> =>
  scope.split(/\s+/).filter((part) => part !== "")

/** Whether normalized scopes include all rights of others. ACR accepts `*` for any repository and any action. */
export const covers = (held: ReadonlyArray<TokenScope>, wanted: ReadonlyArray<TokenScope>): boolean =>
  wanted.every((scope) => {
    const { actions, resource } = parse(scope)
    return held
      .map(parse)
      .some(
        (own) =>
          (own.resource === resource || (own.resource === anyRepository && resource.startsWith("repository:"))) &&
          (own.actions.includes("*") || actions.every((action) => own.actions.includes(action)))
      )
  })

/** The repository that a scope is for, if it names one. */
export const repositoryIn = (scope: TokenScope): string | undefined => {
  const { resource } = parse(scope)
  return resource.startsWith("repository:") && resource !== anyRepository
    ? resource.slice("repository:".length)
    : undefined
}

/** The actions that scopes have in addition to other scopes, on the resources of the other scopes. */
export const actionsBeside = (
  scopes: ReadonlyArray<TokenScope>,
  others: ReadonlyArray<TokenScope>
): ReadonlyArray<string> => {
  const known = others.map(parse)
  return scopes.map(parse).flatMap(({ actions, resource }) => {
    const own = known.filter((other) => other.resource === resource)
    return own.length === 0 ? [] : actions.filter((action) => !own.some((other) => other.actions.includes(action)))
  })
}

const anyRepository = "repository:*"

const parse = (scope: TokenScope): { readonly resource: string; readonly actions: ReadonlyArray<string> } => {
  const colon = scope.lastIndexOf(":")
  return { resource: scope.slice(0, colon), actions: scope.slice(colon + 1).split(",") }
}
