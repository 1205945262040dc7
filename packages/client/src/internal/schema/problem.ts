/**
 * Describes what is wrong with a document, without quoting it, because it may be long, hostile or contain a secret.
 * Effect's own messages quote no value, but they name the path, and the keys of a record are content as well.
 */
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"

/** Whether a key is a position or a field that the schema names. */
const isKnown = (key: PropertyKey, schema: SchemaAST.AST | undefined): boolean =>
  typeof key === "number" ||
  (schema?._tag === "Objects" && schema.propertySignatures.some((property) => property.name === key))

/** The issue, with `…` for each key that the enclosing schema does not name. */
const withoutKeys = (issue: SchemaIssue.Issue, around?: SchemaAST.AST): SchemaIssue.Issue => {
  switch (issue._tag) {
    case "Pointer": {
      const path = issue.path.map((key) => (isKnown(key, around) ? key : "…"))
      return new SchemaIssue.Pointer(path, withoutKeys(issue.issue))
    }
    case "Composite": {
      const [first, ...others] = issue.issues
      const within = (one: SchemaIssue.Issue) => withoutKeys(one, issue.ast)
      return new SchemaIssue.Composite(issue.ast, [within(first), ...others.map(within)])
    }
    case "AnyOf":
      return new SchemaIssue.AnyOf(
        issue.ast,
        issue.issues.map((one) => withoutKeys(one, around))
      )
    case "Filter":
      return new SchemaIssue.Filter(issue.filter, withoutKeys(issue.issue, around))
    case "Encoding":
      return new SchemaIssue.Encoding(issue.ast, withoutKeys(issue.issue, around))
    default:
      return issue
  }
}

/** The same error, whose path names only fields of the schema. */
export const withoutContent = ({ issue }: Schema.SchemaError): Schema.SchemaError =>
  new Schema.SchemaError(withoutKeys(issue))

/** What is wrong and where, in one line. */
export const problemOf = (error: Schema.SchemaError): string => withoutContent(error).message.replace(/\s+/g, " ")
