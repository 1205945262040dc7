/**
 * The status page as text. It loads nothing from other servers, and shows everything without JavaScript.
 */
import { createHash } from "node:crypto"
import * as DateTime from "effect/DateTime"
import type { Progress } from "../../MigrationProgress.ts"
import type { State } from "../../MigrationReport.ts"
import { type Html, markup, nothing, raw } from "./html.ts"
import { script } from "./script.ts"
import { style } from "./style.ts"
import * as Words from "./words.ts"

/** The data of the page. */
export interface View {
  /** The name of the run. */
  readonly name: string
  readonly progress: Progress
  /** The address of the JSON, relative to the page. */
  readonly json: string
}

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

/** Allows the page only its own script and style, and requests to its origin. */
export const policy = [
  "default-src 'none'",
  `script-src ${hash(script)}`,
  `style-src ${hash(style)}`,
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

const section = (id: string, title: string, content: Html): Html =>
  markup`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${content}</section>`

interface Column {
  readonly title: string
  readonly isNumber?: boolean
}

const table = (columns: ReadonlyArray<Column>, rows: ReadonlyArray<ReadonlyArray<Html | string>>): Html => {
  const kind = ({ isNumber = false }: Column): Html => (isNumber ? raw(' class="number"') : nothing)
  const head = columns.map((column) => markup`<th scope="col"${kind(column)}>${column.title}</th>`)
  const body = rows.map((cells) => {
    const shown = columns.map((column, index) => markup`<td${kind(column)}>${cells[index] ?? ""}</td>`)
    return markup`<tr>${shown}</tr>`
  })
  return markup`<div class="scroll" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`
}

const stateWords: Readonly<Record<State, string>> = {
  planned: "to be copied",
  copied: "copied",
  present: "there already",
  verified: "copied and verified",
  failed: "failed",
  refused: "refused by the target",
  skipped: "left out by the rules",
  vanished: "vanished at the source"
}

const isBad = (state: State): boolean => state === "failed" || state === "refused"

const phaseWords: Readonly<Record<Progress["phase"], string>> = {
  inventory: "Listing",
  copy: "Copying",
  done: "Done"
}

const statusOf = ({ pass, phase }: Progress): string => {
  if (pass === 0) return "Starting"
  return phase === "done" ? phaseWords.done : `${phaseWords[phase]}, pass ${pass}`
}

const steps = (progress: Progress): Html => {
  const { done, left, listed, phase } = progress
  const step = (own: Progress["phase"], title: string, detail: string): Html =>
    markup`<li${own === phase ? raw(' aria-current="step"') : nothing}><strong>${title}</strong> <span>${detail}</span></li>`
  return markup`<ol class="steps">${[
    step("inventory", "List and compare", listed === 0 ? "" : Words.count(listed, "repository", "repositories")),
    step("copy", "Copy", phase === "copy" ? `${Words.number(done)} of ${Words.number(done + left)}` : ""),
    step("done", "Done", "nothing left to copy")
  ]}</ol>`
}

const bar = ({ done, left, phase }: Progress): Html => {
  if (phase !== "copy") return nothing
  const whole = done + left
  const text = `${Words.number(done)} of ${Words.number(whole)} artifacts of this pass, ${Words.percent(done, whole)}`
  return markup`<label class="bar">${text}<progress value="${done}" max="${Math.max(1, whole)}"></progress></label>`
}

const figures = (progress: Progress): Html => {
  const { artifactsPerMinute, at, bytesPerSecond, sentBytes, startedAt, timeLeft } = progress
  const speed =
    artifactsPerMinute === undefined || bytesPerSecond === undefined
      ? "–"
      : `${Words.number(artifactsPerMinute)} artifacts/min, ${Words.size(bytesPerSecond)}/s`
  const entries = [
    ["Throughput, last minute", speed],
    ["Time left in this pass", timeLeft === undefined ? "–" : `about ${Words.duration(timeLeft)}`],
    ["Sent since the start", Words.size(sentBytes)],
    ["Running for", Words.duration(DateTime.distance(startedAt, at))]
  ] as const
  return markup`<dl>${entries.map(([title, value]) => markup`<div><dt>${title}</dt><dd>${value}</dd></div>`)}</dl>`
}

const named = (source: string, target: string): string => (source === target ? source : `${source} → ${target}`)

const retrying = ({ retrying: failed }: Progress): Html =>
  failed === undefined
    ? nothing
    : markup`<p class="retrying"><span class="bad">Trying again:</span> ${named(failed.source, failed.target)}: ${failed.detail}</p>`

const totals = ({ totals: all }: Progress): Html =>
  all.length === 0
    ? markup`<p class="quiet">Not known yet.</p>`
    : table(
        [{ title: "State" }, { title: "Artifacts", isNumber: true }],
        all.map(({ count, state }) => [
          isBad(state) ? markup`<span class="bad">${stateWords[state]}</span>` : stateWords[state],
          Words.number(count)
        ])
      )

const failures = ({ failures: all }: Progress): Html =>
  all.length === 0
    ? markup`<p class="quiet">None so far.</p>`
    : table(
        [{ title: "Class" }, { title: "State" }, { title: "Artifacts", isNumber: true }],
        all.map(({ class: kind, count, state }) => [kind, stateWords[state], Words.number(count)])
      )

const slowest = ({ slowest: all }: Progress): Html =>
  all.length === 0
    ? markup`<p class="quiet">None so far.</p>`
    : table(
        [
          { title: "Repository" },
          { title: "Artifacts", isNumber: true },
          { title: "Sent", isNumber: true },
          { title: "Copy time", isNumber: true }
        ],
        all.map(({ artifacts, copyTime, sentBytes, source, target }) => [
          named(source, target),
          Words.number(artifacts),
          Words.size(sentBytes),
          Words.duration(copyTime)
        ])
      )

/** The number of repositories that are shown. The JSON has all. */
const mostProblems = 20

const problems = ({ problems: all }: Progress): Html => {
  if (all.length === 0) return nothing
  const shown = all.slice(0, mostProblems)
  const more = all.length - shown.length
  return section(
    "problems",
    "Repositories that are not copied",
    markup`${table(
      [{ title: "Repository" }, { title: "Problem" }],
      shown.map(({ detail, source, target }) => [named(source, target), detail])
    )}${more === 0 ? nothing : markup`<p class="quiet">and ${Words.number(more)} more</p>`}`
  )
}

export const page = ({ json, name, progress }: View): string =>
  markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${statusOf(progress)}: ${name}</title>
<link rel="icon" href="data:,">
<style>${raw(style)}</style>
<noscript><meta http-equiv="refresh" content="10"></noscript>
</head>
<body>
<header><h1>Migration ${name}</h1><a href="${json}">JSON</a></header>
<p id="notice" role="alert" hidden>The runner cannot be reached: it has ended, or the connection is lost. The data below is from its last response.</p>
<main>
<section aria-labelledby="progress"><h2 id="progress" role="status">${statusOf(progress)}</h2>
${steps(progress)}${bar(progress)}${retrying(progress)}${figures(progress)}</section>
${section("totals", "Artifacts by state", totals(progress))}
${section("failures", "Failures by class", failures(progress))}
${section("slowest", "Slowest repositories", slowest(progress))}
${problems(progress)}
<p class="quiet">As of ${Words.time(progress.at)}. States and failures cover the whole run, all else this call.</p>
</main>
${raw(`<script>${script}</script>`)}
</body>
</html>
`.html
