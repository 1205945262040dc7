/**
 * docs/performance.md: the results of several runs of the benchmarks, with explanations.
 */
import { slug } from "github-slugger"
import { chart } from "./chart.ts"
import { notes, whyMissed } from "./notes.ts"
import { type CaseReport, type Figure, format, goalOf, isMet, type Report } from "./report.ts"
import { table } from "../support/markdown.ts"
import { median } from "./turns.ts"

/** Whether a run left cases out. */
const isPartial = ({ command }: Report): boolean => command.includes("--only")

const runs = (count: number): string => `${count} ${count === 1 ? "run" : "runs"}`

const introduction = ({ command, machine }: Report, reports: ReadonlyArray<Report>): string => {
  const partial = reports.filter(isPartial)
  const origin = [
    runs(reports.length - partial.length),
    ...(partial.length === 0 ? [] : [`for the cases below with \`--only\`, from ${runs(partial.length)} of their own`])
  ].join(" and, ")
  return `# Performance

The figures come from ${origin},
on ${machine.processor} with ${machine.cores} cores and ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}
(${[...new Set(reports.map(({ date }) => date))].toSorted().join(", ")}):

\`\`\`sh
${command}   # and so on, a file for each run
${partial.map((report) => `${report.command}\n`).join("")}npx -y pnpm@12 performance
\`\`\`

Most figures are ratios within one run: in each round, contestants take turns in a new random order, each turn
in its own process, against the same server on the same machine. A figure "ours ÷ another" is throughput: above 1, this library
is faster. Each row has the median of all rounds, the lowest and the highest.

The contestants: this library; the Azure SDK for JavaScript (\`@azure/container-registry\` 1.1.2); a bare loop around
undici or \`node:https\` with \`node:crypto\` and no library at all, the faster of the two; for small responses also
Effect alone, its HTTP client and its schemas without this library; skopeo, and for copies also crane, oras and regctl. Their
start time is subtracted unless a case says otherwise. Programs in JavaScript are bundled to one file, unless a case says otherwise.
The server is the smallest that can answer over TLS, so that the benchmark measures the client; images go to real
docker-registries. If a case has a goal that may be unreachable, its table also shows, for one run of this library, the share of
time in the code of each party (V8's samples of the processor). V8 does not distinguish waiting from reading and decrypting in Node
before it calls any JavaScript.

`
}

const all = (reports: ReadonlyArray<Report>): ReadonlyArray<CaseReport> => {
  const names = new Set(reports.flatMap(({ cases }) => cases.map(({ name }) => name)))
  return [...names].flatMap((name) => {
    const runs = reports.flatMap(({ cases }) => cases.filter((one) => one.name === name))
    const [first] = runs
    if (first === undefined) return []
    // A later run may have figures that an earlier one did not take.
    const every = new Map(runs.flatMap((run) => run.figures.map((figure) => [figure.what, figure] as const)))
    const figures = Array.from(every.values(), (figure): Figure => ({
      ...figure,
      values: runs.flatMap((run) =>
        run.figures.filter(({ what }) => what === figure.what).flatMap(({ values }) => values)
      )
    }))
    return [{ ...first, figures }]
  })
}

const row = (figure: Figure): ReadonlyArray<string> => {
  const { unit, values } = figure
  const middle = median(values)
  const met = isMet(figure, middle)
  const spread = `${format(Math.min(...values), unit)} … ${format(Math.max(...values), unit)}`
  const verdict = met === undefined ? "" : met ? "yes" : "**no**"
  return [figure.what, format(middle, unit), spread, goalOf(figure), verdict]
}

const headingOf = ({ title }: CaseReport): string => `${title[0]?.toUpperCase()}${title.slice(1)}`

/** Which goals are met, and the others one by one. */
const goals = (cases: ReadonlyArray<CaseReport>): string => {
  const judged = cases.flatMap((one) =>
    one.figures.flatMap((figure) => {
      const middle = median(figure.values)
      const met = isMet(figure, middle)
      return met === undefined ? [] : [{ one, figure, middle, met }]
    })
  )
  const missed = judged.filter(({ met }) => !met)
  const rows = missed.map(({ figure, middle, one }) => [
    `[${one.name}](#${slug(headingOf(one))})`,
    figure.what,
    format(middle, figure.unit),
    goalOf(figure)
  ])
  return [
    "## Goals",
    "",
    `${judged.length - missed.length} of ${judged.length} goals are met. These are not:`,
    "",
    table(["Case", "What", "Median", "Goal"], rows),
    "",
    whyMissed,
    ""
  ].join("\n")
}

const section = (one: CaseReport): string => {
  const { figures, leftOut, name } = one
  return [
    `## ${headingOf(one)}`,
    "",
    `\`npx -y pnpm@12 bench --only ${name}\``,
    "",
    ...(leftOut.length === 0 ? [] : [`Left out, as they were not installed: ${leftOut.join(", ")}.`, ""]),
    table(["What", "Median", "Rounds", "Goal", "Met"], figures.map(row)),
    "",
    ...(notes[name] === undefined ? [] : [notes[name], ""])
  ].join("\n")
}

/** The page and the picture in it. */
export const page = (reports: ReadonlyArray<Report>): { readonly markdown: string; readonly svg: string } => {
  const [first] = reports
  if (first === undefined) throw new Error("name a file of figures at least")
  const cases = all(reports)
  const markdown = [
    introduction(first, reports),
    "![How throughput, time and memory change with size, latency and length](performance.svg)\n\n",
    [goals(cases), ...cases.map(section)].join("\n")
  ].join("")
  return { markdown, svg: chart(cases.flatMap(({ figures }) => figures)) }
}
