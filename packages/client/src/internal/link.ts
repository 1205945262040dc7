/**
 * Reads the `Link` header in which a registry names the next page.
 *
 * RFC 8288, section 3: `<target>; rel="next"`, several links separated by commas.
 */
import * as Option from "effect/Option"

/** No registry needs more; what follows is not read. */
const maxLength = 8192

const link = /<([^<>]*)>([^<]*)/g
const next = /;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next\b)/i

/**
 * The target of the link to the next page, as it is written.
 */
export const nextPage = (header: string): Option.Option<string> => {
  for (const [, target = "", parameters = ""] of header.slice(0, maxLength).matchAll(link)) {
    if (next.test(parameters)) return Option.some(target)
  }
  return Option.none()
}
