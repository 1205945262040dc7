/**
 * Keeps secrets out of texts that others wrote.
 */
import * as Redacted from "effect/Redacted"

/** The text with every secret struck out. */
export const strikeOut = (text: string, secrets: ReadonlyArray<Redacted.Redacted<string>>): string =>
  secrets.reduce(
    (clean, secret) => (Redacted.value(secret) === "" ? clean : clean.replaceAll(Redacted.value(secret), "<redacted>")),
    text
  )
