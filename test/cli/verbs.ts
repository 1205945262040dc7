/**
 * The verbs of the command, with what their modules and their help say.
 */
import { readdirSync } from "node:fs"
import { basename } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import type { HelpDoc } from "effect/cli/HelpDoc"
import { root } from "../../packages/cli/src/root.ts"
import { document as versionDocument } from "../../packages/cli/src/version.ts"

const folder = new URL("../../packages/cli/src/verbs/", import.meta.url)

/** A JSON document of a verb. */
export interface Document {
  /** Its name in the schema file. */
  readonly name: string
  readonly schema: Schema.Top
}

/** A module of `verbs`: what it answers, and the verbs that it exports. */
interface Module {
  readonly verbs: ReadonlyArray<string>
  readonly documents: ReadonlyArray<Document>
}

const documentName = /^document$|Document$/

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

const moduleOf = async (file: string): Promise<Module> => {
  const name = basename(file, ".ts")
  const exports = Object.entries<unknown>(await import(new URL(file, folder).href))
  return {
    verbs: [kebab(name), ...exports.flatMap(([, value]) => (Command.isCommand(value) ? [value.name] : []))],
    documents: exports.flatMap(([key, value]) =>
      documentName.test(key) && Schema.isSchema(value)
        ? [
            {
              name: [kebab(name), kebab(key.replace(documentName, ""))].filter((part) => part !== "").join("-"),
              schema: value
            }
          ]
        : []
    )
  }
}

const modules: ReadonlyArray<Module> = await Promise.all(
  readdirSync(folder)
    .filter((name) => name.endsWith(".ts"))
    .toSorted()
    .map(moduleOf)
)

/** All documents, sorted by their names. That of `--version` is of no verb. */
export const documents: ReadonlyArray<Document> = modules
  .flatMap((module) => module.documents)
  .concat({ name: "version", schema: versionDocument })
  .toSorted((one, other) => one.name.localeCompare(other.name))

/** The documents of a verb. */
export const documentsOf = (verb: string): ReadonlyArray<Document> =>
  modules.filter(({ verbs }) => verbs.includes(verb)).flatMap((module) => module.documents)

/** A verb that does something, by its words after `eacr`. */
export interface Verb {
  readonly path: ReadonlyArray<string>
  readonly examples: ReadonlyArray<Command.Command.Example>
}

/** A group of verbs under its title, as the help shows them. */
export interface Group {
  readonly title: string
  readonly verbs: ReadonlyArray<Command.Command.Any>
}

const listed = ({ subcommands }: Command.Command.Any): ReadonlyArray<Group> =>
  subcommands.map(({ commands, group }) => ({
    title: group ?? "Verbs",
    verbs: commands.filter(({ unlisted }) => !unlisted)
  }))

export const groups: ReadonlyArray<Group> = listed(root)

const leavesOf = (command: Command.Command.Any, before: ReadonlyArray<string>): ReadonlyArray<Verb> => {
  const path = [...before, command.name]
  const nested = listed(command).flatMap(({ verbs }) => verbs)
  return nested.length === 0 ? [{ path, examples: command.examples }] : nested.flatMap((verb) => leavesOf(verb, path))
}

/** The verbs under a top one, or the verb itself if there are none. */
export const leaves = (command: Command.Command.Any): ReadonlyArray<Verb> => leavesOf(command, [])

export const verbs: ReadonlyArray<Verb> = groups.flatMap((group) => group.verbs).flatMap(leaves)

/** Verbs that are no calls of the library. */
export const withoutProgram: ReadonlySet<string> = new Set(["serve", "completions"])

/** What the command prints as help, as data. */
export const helpOf = (path: ReadonlyArray<string>): Effect.Effect<HelpDoc> =>
  Effect.gen(function* () {
    let help: HelpDoc | undefined
    const presenter = CliOutput.layerPresenter({
      present: (event) =>
        Effect.sync(() => {
          if (event._tag === "Help") help = event.helpDoc
        })
    })
    yield* Command.runWith(root, { version: "" })([...path, "--help"]).pipe(
      Effect.ignoreCause,
      Effect.provide(Layer.mergeAll(presenter, NodeServices.layer, CliConfig.layer({ builtIns: [GlobalFlag.Help] })))
    )
    return help ?? (yield* Effect.die(new Error(`eacr ${path.join(" ")} has no help`)))
  })
