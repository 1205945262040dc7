/**
 * OCI's conformance suite of distribution, and the report that it writes.
 */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type CommandFailed, run, temporaryFolder } from "../support/command.ts"
import { commandOf } from "../support/tools.ts"

/** A test of the suite. Several have the same name: the same check of other content. */
export interface Result {
  readonly name: string
  /** `passed`, `skipped`, `failure`, `error` or `disabled`. */
  readonly status: string
  /** Why it did not pass. */
  readonly why: string
}

const entities: ReadonlyArray<readonly [RegExp, string]> = [
  [/&#xA;/g, "\n"],
  [/&#x9;/g, "\t"],
  [/&#34;/g, '"'],
  [/&#39;/g, "'"],
  [/&lt;/g, "<"],
  [/&gt;/g, ">"],
  [/&amp;/g, "&"]
]

const unescape = (text: string): string =>
  entities.reduce((result, [entity, character]) => result.replace(entity, character), text)

const testCase = /<testcase name="([^"]*)"[^>]* status="([^"]*)"[^>]*>([^]*?)<\/testcase>/g

/** Go escapes each `<` of what it writes into XML. */
export const parseJUnit = (xml: string): ReadonlyArray<Result> =>
  Array.from(xml.matchAll(testCase), ([, name = "", status = "", content = ""]) => ({
    name: unescape(name).replace(/^OCI Conformance Test\//, ""),
    status,
    why: unescape(/<system-out>([^]*?)<\/system-out>/.exec(content)?.[1] ?? "")
  }))

/** The registry that is tested. */
interface Tested {
  readonly loginServer: string
  readonly login: { readonly username: string; readonly password: Redacted.Redacted<string> }
}

/** It ends with 1 if a test failed, and says in the report which. */
const untilReported = (failed: CommandFailed) =>
  failed.stderr.includes("Conformance test detected a failure") ? Effect.void : Effect.fail(failed)

/** Runs all of OCI 1.1 on a registry that speaks http. */
export const conformance = Effect.fnUntraced(function* ({ login, loginServer }: Tested) {
  const command = yield* commandOf("conformance")
  const folder = yield* temporaryFolder
  yield* run(command, [], {
    cwd: folder,
    env: {
      HOME: folder,
      OCI_VERSION: "1.1",
      OCI_REGISTRY: loginServer,
      OCI_TLS: "disabled",
      OCI_REPO1: "conformance/one",
      OCI_REPO2: "conformance/two",
      OCI_USERNAME: login.username,
      OCI_PASSWORD: Redacted.value(login.password),
      OCI_RESULTS_DIR: folder,
      // By default it uses the token of one repository for a mount from another one, which no token service grants.
      OCI_CACHE_AUTH: "false",
      // Version 1.1 does not demand these two.
      OCI_API_BLOBS_UPLOAD_CANCEL: "true",
      OCI_API_MANIFESTS_DIGEST_HEADER: "true"
    }
  }).pipe(Effect.catchTag("CommandFailed", untilReported))
  return parseJUnit(yield* Effect.promise(() => readFile(join(folder, "junit.xml"), "utf8")))
}, Effect.scoped)
