/**
 * HTML as text in which names stay names.
 */
import { printable } from "@effect-acr/client/Printable"

/** A piece of HTML. Text is none until it is escaped. */
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

/** Also characters that reverse text or do not show: a name with them would look like another one. */
const escaped = (text: string): string =>
  printable(text).replace(/[&<>"']/g, (character) => references[character] ?? "")

type Part = Html | string | number | ReadonlyArray<Html>

const written = (part: Part): string => {
  if (typeof part === "string") return escaped(part)
  if (typeof part === "number") return String(part)
  return "html" in part ? part.html : part.map(({ html }) => html).join("")
}

/**
 * Writes HTML. Everything that is put in is escaped, unless it is HTML. Formatters add spaces to templates that they know by the
 * name `html`, and the hashes of the policy would not fit any more.
 */
export const markup = (strings: TemplateStringsArray, ...parts: ReadonlyArray<Part>): Html => ({
  html: strings.map((text, index) => `${text}${index < parts.length ? written(parts[index] ?? "") : ""}`).join("")
})

/** Text that is part of this program. */
export const raw = (text: string): Html => ({ html: text })

export const nothing: Html = raw("")
