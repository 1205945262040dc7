/**
 * Comments on exports and their members, as data.
 */
import ts from "typescript"

export interface Comment {
  /** Markdown, without the tags at its end; empty where there is no comment. */
  readonly text: string
  readonly category: string | undefined
  readonly since: string | undefined
}

/** The text between the stars, line by line. */
const linesOf = (comment: string): ReadonlyArray<string> =>
  comment
    .replace(/^\/\*\*/, "")
    .replace(/\*\/$/, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd())

/** Reads a comment as it stands in the source, with its slashes and stars. */
const parse = (comment: string): Comment => {
  const lines = linesOf(comment)
  const tags = lines.filter((line) => line.trim().startsWith("@")).map((line) => line.trim())
  const valueOf = (name: string) =>
    tags
      .find((tag) => tag.startsWith(`@${name} `))
      ?.slice(name.length + 2)
      .trim()
  return {
    text: lines
      .filter((line) => !line.trim().startsWith("@"))
      .join("\n")
      .trim(),
    category: valueOf("category"),
    since: valueOf("since")
  }
}

/** The comment with which a file begins. */
export const ofFile = (file: ts.SourceFile): Comment => {
  const [range] = ts.getLeadingCommentRanges(file.text, 0) ?? []
  return parse(range === undefined ? "" : file.text.slice(range.pos, range.end))
}

/** The comment before a declaration. The one with which a file begins is the file's. */
export const of = (node: ts.Node): Comment => {
  const comment = ts.getJSDocCommentsAndTags(node).findLast(ts.isJSDoc)
  return parse(comment === undefined || comment.pos === 0 ? "" : comment.getText())
}
