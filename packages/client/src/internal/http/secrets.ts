/**
 * Keeps secrets out of texts that other programs wrote: a server that quotes the request back, a runtime that quotes a
 * header which it can't send.
 */
import * as Redacted from "effect/Redacted"

/** A shorter one is no secret: it stands in any text, which would not be the same without it. */
const shortest = 4

/** Half of a character can't be encoded, and a server may have put one into a token. */
const isEncodable = (text: string): boolean => !/\p{Surrogate}/u.test(text)

/** A secret as it is, and as it stands in a form or a query. */
const formsOf = (secret: string): ReadonlyArray<string> =>
  isEncodable(secret) ? [secret, encodeURIComponent(secret)] : [secret]

/** The text with every occurrence of a secret struck out. */
export const scrub = (text: string, secrets: ReadonlyArray<Redacted.Redacted<string>>): string => {
  let clean = text
  for (const secret of secrets) {
    for (const form of formsOf(Redacted.value(secret))) {
      if (form.length >= shortest) clean = clean.replaceAll(form, "<redacted>")
    }
  }
  return clean
}

/**
 * Parameters that let who knows them go on with somebody's upload or download: the state of a session, and what signs a
 * link to the storage of Azure, Amazon and Google.
 */
const telling = /^(?:_state|sig|(?:x-(?:amz|goog)-)?(?:signature|credential|security-token)|policy)$/i

/** The secrets in the query of an address. */
export const inQuery = (path: string): ReadonlyArray<Redacted.Redacted<string>> => {
  const query = path.indexOf("?")
  return query === -1
    ? []
    : path
        .slice(query + 1)
        .split("&")
        .flatMap((pair) => {
          const [name = "", ...value] = pair.split("=")
          return telling.test(name) ? [value.join("="), decoded(value.join("="))] : []
        })
        .filter((value) => value !== "")
        .map((value) => Redacted.make(value))
}

const decoded = (value: string): string => new URLSearchParams(`value=${value}`).get("value") ?? ""
