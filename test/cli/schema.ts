/**
 * packages/cli/schema/v1.json: the JSON documents of the verbs.
 */
import * as Schema from "effect/Schema"
import { documentVersion } from "../../packages/cli/src/answer.ts"
import { documents } from "./verbs.ts"

/** The schema of each document by its name, with the definitions that they share. */
export const definitions: Readonly<Record<string, object>> = Object.fromEntries(
  documents.flatMap(({ name, schema }) => {
    const { definitions: shared, schema: own } = Schema.toJsonSchemaDocument(schema)
    return [[name, own] as const, ...Object.entries(shared)]
  })
)

export const fileName = `v${documentVersion}.json`

export const schemaFile = (): string =>
  `${JSON.stringify(
    {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      title: "The documents that eacr prints with --json",
      description: "Each verb has a definition of its own. New members may come with any version of the command.",
      $defs: definitions
    },
    undefined,
    2
  )}\n`
