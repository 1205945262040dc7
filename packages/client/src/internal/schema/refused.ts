/**
 * Shows a value that an argument refuses, in an error.
 *
 * A person who looks for the wrong one of a thousand names needs the value. But a value that is in the wrong place may be a
 * pasted password, and errors are logged. So only a value that reads like a name is shown. The text of a password that is a
 * valid name is no secret here: it would have been sent as a part of an address.
 */
import { printable } from "../../Printable.ts"

const longest = 128

/** A longer value is none of a name that somebody wrote. */
const longestName = 1024

/** What a program leaves in place of a variable that is not set, `${TAG}` or `${tag}`, and wildcards. */
const placeholders = /\$\{(?:[A-Z_][A-Z0-9_]{0,63}|[a-z_]{1,16})\}|(?<=^|[/:])\*(?=$|[/:])/g

/** Words between the separators of names, versions and addresses. Anything else may belong to a password or a token. */
const words = /^[\p{L}\p{N}._\-+/:,]*$/u

/** A login before a host, `user:password@registry.example`. After a name, a digest is introduced by the same character. */
const login = /@(?!sha\d{3}:)|:\/\/[^/]*@/

/** How tokens begin: those of GitLab, Docker Hub, GitHub and npm, Amazon's keys, and JSON in base64. */
const tokens = /(?:^|[^\p{L}\p{N}])(?:glpat-|dckr_[op]at_|gh[oprsu]_|github_pat_|npm_|AKIA|ASIA|eyJ)/u

/** Rules for passwords demand upper case, lower case and digits together. Tokens have all of them by chance. */
const isMixed = (word: string): boolean =>
  word.length >= 8 && /\p{Lu}/u.test(word) && /\p{Ll}/u.test(word) && /\d/.test(word)

/** In a word of a name, a number or two stand between letters. Digests and commits have hexadecimal digits. */
const isScrambled = (word: string): boolean =>
  word.length >= 12 && !/^[0-9a-f]+$/i.test(word) && word.split(/(?<=\d)(?=\p{L})|(?<=\p{L})(?=\d)/u).length > 4

/** Longer than any word of a name, but for the hexadecimal digits of a digest. */
const isLong = (word: string): boolean => word.length > 40 && !/^[0-9a-f]+$/i.test(word)

const mayBeSecret = (text: string): boolean =>
  text.length > longestName ||
  login.test(text) ||
  tokens.test(text) ||
  !words.test(text.replace("@", ":")) ||
  text.split(/[^\p{L}\p{N}]+/u).some((word) => isMixed(word) || isScrambled(word) || isLong(word))

/** A refused value, as an error shows it. */
export const refusedValue = (value: unknown): string => {
  if (typeof value === "object" || typeof value === "function") return `<${value === null ? "null" : typeof value}>`
  const text = String(value)
  if (mayBeSecret(text.trim().replaceAll(placeholders, ""))) return "<redacted>"
  return printable(text.length > longest ? `${text.slice(0, longest)}…` : text)
}
