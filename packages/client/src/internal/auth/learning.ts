/**
 * What the client learns about a registry from its answers: the authentication scheme for each kind of rights, and the
 * scopes that it requires in addition to those that an operation is known to need.
 */
import type { Basic, Bearer, Scheme } from "./scheme.ts"
import * as Scope from "./scope.ts"

/** The kind of rights that an operation needs, whichever repository it is for: `repository:pull`. */
export type Need = string

export const needOf = (scopes: ReadonlyArray<string>): Need =>
  scopes.map((scope) => scope.slice(0, scope.indexOf(":")) + scope.slice(scope.lastIndexOf(":"))).join(" ")

/** The parts of an operation that concern its login. */
export interface Errand {
  readonly name: string
  readonly need: Need
  /** The scopes that the operation is known to need. */
  readonly scopes: ReadonlyArray<string>
  /** The scopes that the registry has required. */
  readonly demanded: ReadonlyArray<string>
  /** The repository whose credential is needed; undefined if one credential serves all. */
  readonly repository: string | undefined
}

/** A registry has few actions. A hostile one may name any number. */
const mostExtras = 8

/** Rights that are not carried over to another repository. */
const powerful: ReadonlySet<string> = new Set(["*", "delete", "push"])

/** Starts to learn about a registry. */
export const makeLearning = () => {
  const learnt = new Map<Need, Scheme>()
  /** The additional actions that the registry requires, by the name of an operation. */
  const extras = new Map<string, ReadonlySet<string>>()
  let wanted: Basic | Bearer | undefined

  /**
   * The scopes of an operation, with the additional ones that the registry has required for operations of the same
   * name.
   */
  const scopesOf = ({ name, scopes }: Errand): ReadonlyArray<string> => {
    const extra = extras.get(name)
    if (extra === undefined) return scopes
    const resources = new Set(scopes.map((scope) => scope.slice(0, scope.lastIndexOf(":"))))
    return [...scopes, ...Array.from(resources, (resource) => `${resource}:${Array.from(extra).join(",")}`)]
  }

  return {
    scopesOf,
    /** Whether the registry has required more for operations of the same name than they are known to need. */
    isExtended: ({ name }: Errand): boolean => extras.has(name),
    forget: ({ name }: Errand): void => {
      extras.delete(name)
    },
    /** The last demand of the registry, which is assumed for needs that are still unknown. */
    last: (): Basic | Bearer | undefined => wanted,
    known: (need: Need): Scheme | undefined => learnt.get(need) ?? wanted,
    learn: (need: Need, scheme: Scheme): void => {
      learnt.set(need, scheme)
      if (scheme._tag !== "Open") wanted = scheme
    },
    /**
     * The errand with the scopes that a challenge names. The client requests both: some registries name less than an
     * operation needs, or a placeholder, and ACR names more in one place.
     */
    withDemanded: (errand: Errand, demanded: ReadonlyArray<string>): Errand => {
      const { name } = errand
      const extra = Scope.actionsBeside(demanded, scopesOf(errand)).filter((action) => !powerful.has(action))
      if (extra.length > 0) extras.set(name, new Set([...(extras.get(name) ?? []), ...extra].slice(0, mostExtras)))
      return { ...errand, demanded }
    }
  }
}
