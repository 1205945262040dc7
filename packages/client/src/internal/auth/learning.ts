/**
 * What is learnt of a registry while it is asked: how it wants to be asked, for each kind of rights apart, and what it wants
 * beside the scopes that an operation is known to need.
 */
import type { Basic, Bearer, Scheme } from "./scheme.ts"
import * as Scope from "./scope.ts"

/** The kind of rights that an operation needs, whichever repository it is for: `repository:pull`. */
export type Need = string

export const needOf = (scopes: ReadonlyArray<string>): Need =>
  scopes.map((scope) => scope.slice(0, scope.indexOf(":")) + scope.slice(scope.lastIndexOf(":"))).join(" ")

/** An operation, as far as its login is concerned. */
export interface Errand {
  readonly name: string
  readonly need: Need
  /** The scopes that it is known to need. */
  readonly scopes: ReadonlyArray<string>
  /** Those that the registry has asked for. */
  readonly demanded: ReadonlyArray<string>
  /** The repository whose credential is wanted; undefined where one credential serves all. */
  readonly repository: string | undefined
}

/** A registry has some actions. A hostile one may name any number. */
const mostExtras = 8

/** Rights that no operation carries to another repository. */
const powerful: ReadonlySet<string> = new Set(["*", "delete", "push"])

/** Begins to learn of a registry. */
export const makeLearning = () => {
  const learnt = new Map<Need, Scheme>()
  /** By the name of an operation, the actions that the registry wants for it in addition. */
  const extras = new Map<string, ReadonlySet<string>>()
  let wanted: Basic | Bearer | undefined

  /** The scopes of an operation, with what the registry has wanted for its like in addition. */
  const scopesOf = ({ name, scopes }: Errand): ReadonlyArray<string> => {
    const extra = extras.get(name)
    if (extra === undefined) return scopes
    const resources = new Set(scopes.map((scope) => scope.slice(0, scope.lastIndexOf(":"))))
    return [...scopes, ...Array.from(resources, (resource) => `${resource}:${Array.from(extra).join(",")}`)]
  }

  return {
    scopesOf,
    /** Whether the registry has wanted more for the like of an operation than it is known to need. */
    isExtended: ({ name }: Errand): boolean => extras.has(name),
    forget: ({ name }: Errand): void => {
      extras.delete(name)
    },
    /** What the registry wanted last: expected for the needs of which nothing is known yet. */
    last: (): Basic | Bearer | undefined => wanted,
    known: (need: Need): Scheme | undefined => learnt.get(need) ?? wanted,
    learn: (need: Need, scheme: Scheme): void => {
      learnt.set(need, scheme)
      if (scheme._tag !== "Open") wanted = scheme
    },
    /**
     * The errand with the scopes that a challenge names. Both are asked for: registries name less than an operation needs, or
     * a placeholder, and ACR names more in one place.
     */
    withDemanded: (errand: Errand, demanded: ReadonlyArray<string>): Errand => {
      const { name } = errand
      const extra = Scope.actionsBeside(demanded, scopesOf(errand)).filter((action) => !powerful.has(action))
      if (extra.length > 0) extras.set(name, new Set([...(extras.get(name) ?? []), ...extra].slice(0, mostExtras)))
      return { ...errand, demanded }
    }
  }
}
