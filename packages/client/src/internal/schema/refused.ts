/**
 * Shows the refused value of an argument in an error.
 *
 * The value is needed to find the wrong one of a thousand names. But a misplaced value may be a pasted password, and
 * errors are logged. So only a value that looks like a name is shown. A password that is a valid name is shown as well:
 * without the error, it would have been sent as part of an address.
 */
import { printable } from "../../Printable.ts"

const longest = 128

/** The length limit of names. Longer values are not shown. */
const longestName = 1024

/** Placeholders of unset variables, `${TAG}` or `${tag}`, and wildcards. */
const placeholders = /\$\{(?:[A-Z_][A-Z0-9_]{0,63}|[a-z_]{1,16})\}|(?<=^|[/:])\*(?=$|[/:])/g

/** Words between the separators of names, versions and addresses. Anything else may belong to a password or a token. */
const words = /^[\p{L}\p{N}._\-+/:,]*$/u

/** A login before a host, `user:password@registry.example`. The same character separates a digest from a name. */
const login = /@(?!sha\d{3}:)|:\/\/[^/]*@/

/** The prefixes of tokens: those of GitLab, Docker Hub, GitHub and npm, Amazon's keys, and JSON in base64. */
const tokens = /(?:^|[^\p{L}\p{N}])(?:glpat-|dckr_[op]at_|gh[oprsu]_|github_pat_|npm_|AKIA|ASIA|eyJ)/u

/** Password rules demand upper case, lower case and digits together. Tokens have all of them by chance. */
const isMixed = (word: string): boolean =>
  word.length >= 8 && /\p{Lu}/u.test(word) && /\p{Ll}/u.test(word) && /\d/.test(word)

/** A word of a name has at most two numbers between letters. Digests and commits have hexadecimal digits. */
const isScrambled = (word: string): boolean =>
  word.length >= 12 && !/^[0-9a-f]+$/i.test(word) && word.split(/(?<=\d)(?=\p{L})|(?<=\p{L})(?=\d)/u).length > 4

/** Longer than any word of a name, except the hexadecimal digits of a digest. */
const isLong = (word: string): boolean => word.length > 40 && !/^[0-9a-f]+$/i.test(word)

const mayBeSecret = (text: string): boolean =>
  text.length > longestName ||
  login.test(text) ||
  tokens.test(text) ||
  !words.test(text.replace("@", ":")) ||
  text.split(/[^\p{L}\p{N}]+/u).some((word) => isMixed(word) || isScrambled(word) || isLong(word))

export const refusedValue = (value: unknown): string => {
  if (typeof value === "object" || typeof value === "function") return `<${value === null ? "null" : typeof value}>`
  const text = String(value)
  if (mayBeSecret(text.trim().replaceAll(placeholders, ""))) return "<redacted>"
  return printable(text.length > longest ? `${text.slice(0, longest)}…` : text)
}
