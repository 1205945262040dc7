/**
 * The flags that every verb has.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"

const switchOf = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withoutNegation, Flag.withDefault(false))

export const Json = GlobalFlag.Setting("json")({
  flag: switchOf("json", "Print the answer as one JSON document")
})

export const JsonLines = GlobalFlag.Setting("jsonl")({
  flag: switchOf("jsonl", "Print one JSON document per line: items as they arrive, events of transfers")
})

export const Quiet = GlobalFlag.Setting("quiet")({
  flag: switchOf("quiet", "Print only digests or names, and no progress").pipe(Flag.withAlias("q"))
})

export const Verbose = GlobalFlag.Setting("verbose")({
  flag: Flag.Boolean("verbose").pipe(
    Flag.withAlias("v"),
    Flag.withoutNegation,
    Flag.withDescription(
      "Print each request on stderr: method, address, status and time. -vv adds headers and the log. Secrets are never shown"
    ),
    Flag.atLeast(0)
  )
})

export const PlainHttp = GlobalFlag.Setting("plain-http")({
  flag: Flag.Boolean("plain-http").pipe(
    Flag.withDescription(
      "Use http instead of https. Defaults to yes for localhost and 127.0.0.1, where --no-plain-http uses https, and to no elsewhere"
    ),
    Flag.optional
  )
})

export const CaFile = GlobalFlag.Setting("ca-file")({
  flag: Flag.String("ca-file").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Trust the certificate authorities in this PEM file as well"),
    Flag.optional
  )
})

export const Explain = GlobalFlag.Setting("explain")({
  flag: switchOf("explain", "Print the program that does the same with the library, and do nothing")
})

export const all = [Json, JsonLines, Quiet, Verbose, PlainHttp, CaFile, Explain] as const

/** How an answer is printed. */
export type Format = "text" | "json" | "jsonl" | "quiet"

export interface Settings {
  readonly format: Format
  /** Whether the progress of transfers may be shown. */
  readonly isQuiet: boolean
  /** 0: errors and warnings alone; 1: requests; 2: headers, too. */
  readonly verbosity: number
  /** Whether to use http. If undefined, the host decides. */
  readonly plainHttp: boolean | undefined
  readonly caFile: string | undefined
}

const formatOf = (json: boolean, jsonLines: boolean, quiet: boolean): Format => {
  if (jsonLines) return "jsonl"
  if (json) return "json"
  return quiet ? "quiet" : "text"
}

export const settings = Effect.gen(function* () {
  const quiet = yield* Quiet
  return {
    format: formatOf(yield* Json, yield* JsonLines, quiet),
    isQuiet: quiet,
    verbosity: (yield* Verbose).length,
    plainHttp: Option.getOrUndefined(yield* PlainHttp),
    caFile: Option.getOrUndefined(yield* CaFile)
  } satisfies Settings
})
