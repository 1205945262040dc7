/**
 * The runs that docs/performance.md is written from.
 */
import { readdir, readFile } from "node:fs/promises"
import * as Schema from "effect/Schema"
import { Report } from "./report.ts"

const folder = new URL("runs/", import.meta.url)

const decode = Schema.decodeSync(Schema.fromJsonString(Report))

export const readRuns = async (): Promise<ReadonlyArray<Report>> => {
  const files = (await readdir(folder)).toSorted()
  return Promise.all(files.map(async (file) => decode(await readFile(new URL(file, folder), "utf8"))))
}
