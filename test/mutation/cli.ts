/**
 * Faults in the command.
 */
import type { Fault } from "./fault.ts"

const folder = "packages/cli/src"

export const cli: ReadonlyArray<Fault> = [
  {
    wrong: "an answer of no ends with exit code 0",
    file: `${folder}/answer.ts`,
    find: "if (code !== exitCodes.done) return",
    replace: "if (code === exitCodes.unexpected) return"
  },
  {
    wrong: "names in lines of JSON control the terminal",
    file: `${folder}/answer.ts`,
    find: "Effect.map(list.jsonLine(item), escaped)",
    replace: "list.jsonLine(item)"
  },
  {
    wrong: "annotations in a JSON document control the terminal",
    file: `${folder}/answer.ts`,
    find: "    Effect.map(escaped),\n",
    replace: ""
  },
  {
    wrong: "errors and warnings are printed among the answers",
    file: `${folder}/output.ts`,
    find: "({ stderr }) => Effect.ignore(Stream.run(Stream.make(`${text}\\n`), stderr()))",
    replace: "({ stdout }) => Effect.ignore(Stream.run(Stream.make(`${text}\\n`), stdout()))"
  },
  {
    wrong: "a reader that goes away, as head does, is reported as an error",
    file: `${folder}/output.ts`,
    find: 'cause.code === "EPIPE"',
    replace: 'cause.code === "EIO"'
  },
  {
    wrong: "a second Ctrl-C does not end the command",
    file: `${folder}/main.ts`,
    find: "    if (isEnding) process.exit(code)\n",
    replace: ""
  },
  {
    wrong: "an interrupted command ends with exit code 0",
    file: `${folder}/main.ts`,
    find: "exit.value : signals.code()",
    replace: "exit.value : 0 * signals.code()"
  },
  {
    wrong: "a signal is ignored where only a slow reader is left to wait for",
    file: `${folder}/main.ts`,
    find: "    signals.endAtOnce()\n",
    replace: ""
  },
  {
    wrong: "a transfer of which a part failed ends with exit code 0",
    file: `${folder}/exitCode.ts`,
    find: "partly: 3",
    replace: "partly: 0"
  },
  {
    wrong: "to read a layout that is not there makes one",
    file: `${folder}/place.ts`,
    find: "if (!(yield* files.exists(folder)))",
    replace: 'if ((yield* files.exists(folder)) && folder === "")'
  },
  {
    wrong: "a program of --explain works on another tag than the call",
    file: `${folder}/place.ts`,
    find: 'reference: parsed?.digest ?? parsed?.tag ?? "latest"',
    replace: 'reference: parsed?.tag ?? parsed?.digest ?? "latest"'
  },
  {
    wrong: "a pattern of a call runs as code in the program of --explain",
    file: `${folder}/program.ts`,
    find: "value.replace(/[\\\\`]|\\$\\{/g,",
    replace: "value.replace(/[\\\\`]/g,"
  },
  {
    wrong: "--quiet shows progress",
    file: `${folder}/progress/progress.ts`,
    find: 'if (isQuiet) return "none"',
    replace: 'if (isQuiet) return "lines"'
  },
  {
    wrong: "lines of progress wrap, and stay on the terminal",
    file: `${folder}/progress/draw.ts`,
    find: "const width = columns - 1",
    replace: "const width = columns + 10"
  },
  {
    wrong: "completions are those of an earlier day",
    file: `${folder}/completions/cache.ts`,
    find: "age >= 0 && age < maxAgeMillis",
    replace: "age >= 0 && age < maxAgeMillis * 1440"
  },
  {
    wrong: "other users of the machine can read the names that completions keep",
    file: `${folder}/completions/cache.ts`,
    find: "mode: 0o700",
    replace: "mode: 0o755"
  },
  {
    wrong: "a name in a registry sends control characters to the shell that completes it",
    file: `${folder}/completions/candidates.ts`,
    find: "name === printable(name) && !/^-|\\s/.test(name)",
    replace: "name !== printable(` ${name}`)"
  },
  {
    wrong: "-vv prints logins and tokens",
    file: `${folder}/requests.ts`,
    find: "shownHeaders.has(name) && isShown(value)",
    replace: 'shownHeaders.has(name) || name !== ""'
  },
  {
    wrong: "-vv prints the login that a server sends back",
    file: `${folder}/requests.ts`,
    find: "!secrets.some((secret) => value.includes(secret))",
    replace: "!secrets.some((secret) => value === secret)"
  },
  {
    wrong: "a manifest is deleted although tags could not be read",
    file: `${folder}/verbs/rm.ts`,
    find: "if (lists.hasLeftOut()) {",
    replace: "if (lists.hasLeftOut() && all.length === 0) {"
  },
  {
    wrong: "an archive replaces what came while it was written",
    file: "packages/artifacts/src/ImageArchive.ts",
    find: "return overwrite || !(yield* isThere)",
    replace: "return overwrite || Option.isNone(before) || !(yield* isThere)"
  },
  {
    wrong: "-v prints the signature in a link to storage",
    file: `${folder}/requests.ts`,
    find: "`${parsed.origin}${parsed.pathname}`",
    replace: "parsed.href"
  }
]
