/**
 * Builds HTML as text, with all values escaped.
 */
import { printable } from "@effect-acr/client/Printable"

/** A piece of HTML. A plain string must be escaped first. */
export interface Html {
  readonly html: string
}

const references: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

/** Also replaces characters that reverse text or are invisible: a name with them would look like another one. */
const escaped = (text: string): string =>
  printable(text).replace(/[&<>"']/g, (character) => references[character] ?? "")

type Part = Html | string | number | ReadonlyArray<Html>

const written = (part: Part): string => {
  if (typeof part === "string") return escaped(part)
  if (typeof part === "number") return String(part)
  return "html" in part ? part.html : part.map(({ html }) => html).join("")
}

/**
 * Builds HTML. Values are escaped unless they are `Html`. It is not named `html`, since formatters add spaces to templates of that
 * name, and the hashes in the policy would no longer match.
 */
export const markup = (strings: TemplateStringsArray, ...parts: ReadonlyArray<Part>): Html => ({
  html: strings.map((text, index) => `${text}${index < parts.length ? written(parts[index] ?? "") : ""}`).join("")
})

/** Trusted text of this program. */
export const raw = (text: string): Html => ({ html: text })

export const nothing: Html = raw("")
