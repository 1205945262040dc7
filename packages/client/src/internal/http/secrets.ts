/**
 * Keeps secrets out of texts that other programs wrote: a server that quotes the request back, a runtime that quotes a
 * header which it can't send.
 */
import * as Redacted from "effect/Redacted"

/** The text with every occurrence of a secret struck out. */
export const scrub = (text: string, secrets: ReadonlyArray<Redacted.Redacted<string>>): string => {
  let clean = text
  for (const secret of secrets) {
    for (const form of [Redacted.value(secret), encodeURIComponent(Redacted.value(secret))]) {
      if (form !== "") clean = clean.replaceAll(form, "<redacted>")
    }
  }
  return clean
}
