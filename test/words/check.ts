/**
 * Fails, and says where, if a text has a phrase that readers stumble over or find nothing by; a part of
 * `npx -y pnpm@12 check`. CONTRIBUTING has the words to use in their place.
 */
import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

const phrases = [
  "whoever",
  "whomever",
  "whom",
  "nobody",
  "somebody",
  "for who",
  "those who",
  "is told",
  "are told",
  "was told",
  "is had",
  "are had",
  "to be had",
  "is led to",
  "lets? know",
  "gives? away",
  "if not given",
  "what it comes to",
  "what there is",
  "taken up again"
]

const phrase = new RegExp(`\\b(?:${phrases.join("|")})\\b`, "i")

/** Code in the middle of a text: a name is what it is. */
const inlineCode = /`[^`\n]*`/g

/** Lines of Markdown, with those of its code empty. */
const ofMarkdown = (text: string): ReadonlyArray<string> => {
  let isCode = false
  return text.split("\n").map((line) => {
    const isFence = /^\s*(?:```|~~~)/.test(line)
    if (isFence) isCode = !isCode
    return isFence || isCode ? "" : line.replace(inlineCode, "")
  })
}

const comment = /(?:^\s*(?:\/\*\*?|\*)|(?:^|\s)\/\/)(.*)$/

/** A text in quotes with more than one word. A single word is a value. */
const sentence = /(["'`])((?:(?!\1)[^\\\n]|\\.)*\s(?:(?!\1)[^\\\n]|\\.)*)\1/g

/** The comments and messages in lines of TypeScript. */
const ofTypeScript = (text: string): ReadonlyArray<string> =>
  text.split("\n").map((line) => {
    const said = comment.exec(line)
    if (said !== null) return (said[1] ?? "").replace(inlineCode, "")
    return Array.from(line.matchAll(sentence), ([, , words = ""]) => words).join(" ")
  })

const files = globSync(
  [
    "*.md",
    ".changeset/*.md",
    "docs/**/*.md",
    "examples/**/*.{md,ts}",
    "packages/*/*.md",
    "packages/*/{src,test,page}/**/*.ts",
    "reference/**/*.ts",
    "site/*.ts",
    "test/**/*.ts"
  ],
  { cwd: root, exclude: ["**/node_modules/**", "test/check.test.ts", "test/words/check.ts"] }
)

const problems = files.toSorted().flatMap((file) => {
  const text = readFileSync(`${root}/${file}`, "utf8")
  return (file.endsWith(".md") ? ofMarkdown(text) : ofTypeScript(text)).flatMap((line, index) => {
    const found = phrase.exec(line)
    return found === null ? [] : [`${file}:${index + 1}: "${found[0]}"`]
  })
})

if (problems.length > 0) {
  console.error(problems.join("\n"))
  process.exitCode = 1
}
