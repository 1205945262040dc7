/**
 * The rights of identities.
 */
import type { ScopeMapAction, ScopeMapRule } from "../ScopeMap.ts"

/** One right: an action on a resource. */
export interface Right {
  readonly type: string
  readonly name: string
  readonly action: string
}

/** The identity of a caller. `name` is for the journal. */
export type Identity =
  | { readonly _tag: "Anonymous"; readonly name: string }
  | { readonly _tag: "Owner"; readonly name: string }
  | { readonly _tag: "ScopeMap"; readonly name: string; readonly rules: ReadonlyArray<ScopeMapRule> }

const actionsOf: { readonly [action in ScopeMapAction]: string } = {
  "content/read": "pull",
  "content/write": "push",
  "content/delete": "delete",
  "metadata/read": "metadata_read",
  "metadata/write": "metadata_write"
}

const concerns = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name

export const has = (identity: Identity, right: Right, anonymousPull: boolean): boolean => {
  switch (identity._tag) {
    case "Owner":
      return true
    case "Anonymous":
      return (
        anonymousPull &&
        (right.type === "registry" ? right.name === "catalog" : ["pull", "metadata_read"].includes(right.action))
      )
    case "ScopeMap":
      return (
        right.type === "repository" &&
        identity.rules.some(
          ({ actions, repository }) =>
            concerns(repository, right.name) && actions.some((action) => actionsOf[action] === right.action)
        )
      )
  }
}

/** `*` matches any repository, or any action. */
export const isWildcard = ({ action, name }: Right): boolean => name === "*" || action === "*"

/** Whether a right of a token includes the required one. */
export const covers = (granted: Right, right: Right): boolean =>
  granted.type === right.type &&
  (granted.name === right.name || granted.name === "*") &&
  (granted.action === right.action || granted.action === "*")

/** The rights that scopes request: `repository:library/alpine:pull,push registry:catalog:*`. */
export const parseScopes = (scopes: ReadonlyArray<string>): ReadonlyArray<Right> =>
  scopes
    .flatMap((scope) => scope.split(" "))
    .flatMap((scope) => {
      const [type, ...rest] = scope.split(":")
      const action = rest.pop()
      return type === undefined || action === undefined
        ? []
        : action.split(",").map((one) => ({ type, name: rest.join(":"), action: one }))
    })

const resourceOf = ({ name, type }: Right): string => `${type}:${name}`

/** Rights by resource, in the order of their first appearance. */
export const byResource = (
  rights: ReadonlyArray<Right>
): ReadonlyArray<{ readonly type: string; readonly name: string; readonly actions: ReadonlyArray<string> }> =>
  Array.from(new Set(rights.map(resourceOf)), (resource) => {
    const own = rights.filter((right) => resourceOf(right) === resource)
    const colon = resource.indexOf(":")
    return {
      type: resource.slice(0, colon),
      name: resource.slice(colon + 1),
      actions: own.map(({ action }) => action)
    }
  })

export const formatScopes = (rights: ReadonlyArray<Right>): string =>
  byResource(rights)
    .map(({ actions, name, type }) => `${type}:${name}:${actions.join(",")}`)
    .join(" ")
