/**
 * Secrets of requests and answers: which values are secret, and which of them a transport remembers.
 */
import * as Redacted from "effect/Redacted"
import { type Needle, needlesOf } from "./needles.ts"

/** Values that must not appear in errors, logs and spans. */
export type Secrets = ReadonlyArray<Redacted.Redacted<string>>

/** The text of a secret; undefined if its owner has wiped it, or if it is no text. */
const textOf = (secret: Redacted.Redacted<unknown>): string | undefined => {
  try {
    const text = Redacted.value(secret)
    return typeof text === "string" ? text : undefined
  } catch {
    return undefined
  }
}

const isSecret = (value: unknown): value is Redacted.Redacted<string> =>
  Redacted.isRedacted(value) && textOf(value) !== undefined

/** The secrets in the value of a decoded answer, such as a token. */
export const inAnswer = (value: unknown): Secrets =>
  (typeof value === "object" && value !== null ? [value, ...Object.values(value)] : []).filter(isSecret)

/** A secret and the forms to search for. */
export interface Sought {
  readonly value: Redacted.Redacted<string>
  /** Computed once, when first needed. Empty if the owner of the secret has wiped it. */
  readonly needles: () => ReadonlyArray<Needle>
}

export const sought = (value: Redacted.Redacted<string>): Sought => {
  let needles: ReadonlyArray<Needle> | undefined
  return {
    value,
    needles: () => {
      const text = textOf(value)
      needles = text === undefined ? [] : (needles ?? needlesOf(text))
      return needles
    }
  }
}

/** Whether a secret that is searched for already is this one: the same may be read from several answers. */
const isSame = (secret: Redacted.Redacted<string>): ((known: Sought) => boolean) => {
  const text = textOf(secret)
  return ({ value }) => value === secret || (text !== undefined && textOf(value) === text)
}

/** More than a transport uses at a time: some tokens, and the credentials that they were requested with. */
const mostRemembered = 16

/**
 * Remembers the secrets of a transport, because a server may quote one of an earlier request, or redirect the next
 * request to an address that contains it. The function adds secrets and returns the most recent ones, the latest last.
 */
export const remembering = (): ((secrets: Secrets) => ReadonlyArray<Sought>) => {
  let latest: ReadonlyArray<Sought> = []
  return (secrets) => {
    if (secrets.length === 0) return latest
    const used = secrets.map((secret) => latest.find(isSame(secret)) ?? sought(secret))
    const all = [...latest.filter((known) => !used.includes(known)), ...used]
    latest = all.slice(-mostRemembered)
    return all
  }
}

/**
 * Parameters with which a reader of the address could continue an upload or a download: the state of a session, and
 * signatures and keys of a link.
 */
const telling = /^(?:_?state|policy|verify|jwt|(?:.*[-_])?(?:sig|signature|hmac|credential|token))$/i

/** A shorter value, such as `https` or `2026`, is not a secret, unless its parameter is one of `telling`. */
const shortestValue = 8

const nameOf = (written: string): string => new URLSearchParams(`${written}=`).keys().next().value ?? ""

/** The secrets in the query of an address. */
export interface AddressSecrets {
  /** The values of `telling` parameters. */
  readonly telling: Secrets
  /**
   * All other values of a certain length. An address in an answer may have secrets in any parameter; other addresses
   * have parameters such as `last`, which errors must show.
   */
  readonly others: ReadonlyArray<string>
}

export const inQuery = (address: string): AddressSecrets => {
  const query = address.indexOf("?")
  const pairs = query === -1 ? [] : address.slice(query + 1).split("&")
  const secrets = { telling: Array.of<Redacted.Redacted<string>>(), others: Array.of<string>() }
  for (const pair of pairs) {
    const equals = pair.indexOf("=")
    const name = nameOf(equals === -1 ? "" : pair.slice(0, equals))
    const value = pair.slice(equals + 1)
    if (value === "") continue
    if (telling.test(name)) secrets.telling.push(Redacted.make(value))
    // The client adds the digest itself, and errors must show it.
    else if (name !== "digest" && value.length >= shortestValue) secrets.others.push(value)
  }
  return secrets
}
