/**
 * docs/performance.md: what several runs of the benchmarks found, and why it is so.
 */
import { chart } from "./chart.ts"
import { type CaseReport, type Figure, format, goalOf, isMet, type Report } from "./report.ts"
import { median } from "./turns.ts"

const introduction = ({ machine }: Report, reports: ReadonlyArray<Report>): string => `# Performance

What follows is written from ${reports.length} whole runs of the benchmarks, on ${machine.processor} with
${machine.cores} cores and ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node},
${[...new Set(reports.map(({ date }) => date))].join(", ")}:

\`\`\`sh
npx -y pnpm@12 bench --json run1.json   # and again: run2.json, run3.json
npx -y pnpm@12 performance run1.json run2.json run3.json
\`\`\`

A figure is a ratio from one and the same run, never a time: contestants have turns in an order drawn anew for each of
five rounds, each turn in a process of its own, against the same server on the same machine. Where the figure is
"ours ÷ another", it is throughput, and above 1 this library is the faster one. Given are the median of the runs' medians
and, in brackets, the lowest and highest median of a run.

The contestants: this library; the Azure SDK for JavaScript (\`@azure/container-registry\` 1.1.2); a bare loop around
undici or \`node:https\` with \`node:crypto\` and no library at all, of which the faster one counts; \`skopeo copy\`, whose time
to start is taken off. All but skopeo are bundled to one file first. The server is the least that can answer over TLS, so
that the client is what is measured; images go to a real docker-registry.

`

const note: { readonly [name: string]: string } = {
  memory: "Peak memory is that of the whole process, as Linux counts it.",
  import: `The limit is Effect itself. A program that uses Effect has imported it already; what this library adds is the second
row. The first counts everything, and the third counts Effect's modules without any of ours: no client on Effect can be
below that.`,
  bundle: `The same limit: the runtime, schemas, streams and HTTP of Effect alone are larger than half of the Azure SDK's client.
The second row is what this library adds to a program that has these. The bundle for Node holds undici.`
}

const all = (reports: ReadonlyArray<Report>): ReadonlyArray<CaseReport> => {
  const names = new Set(reports.flatMap(({ cases }) => cases.map(({ name }) => name)))
  return [...names].flatMap((name) => {
    const runs = reports.flatMap(({ cases }) => cases.filter((one) => one.name === name))
    const [first] = runs
    if (first === undefined) return []
    const figures = first.figures.map((figure): Figure => ({
      ...figure,
      values: runs.flatMap((run) =>
        run.figures.filter(({ what }) => what === figure.what).map(({ values }) => median(values))
      )
    }))
    return [{ ...first, figures }]
  })
}

const row = (figure: Figure): string => {
  const { unit, values } = figure
  const middle = median(values)
  const met = isMet(figure, middle)
  const spread = `${format(Math.min(...values), unit)} … ${format(Math.max(...values), unit)}`
  const verdict = met === undefined ? "" : met ? "yes" : "**no**"
  return `| ${figure.what} | ${format(middle, unit)} (${spread}) | ${goalOf(figure)} | ${verdict} |`
}

const section = ({ figures, leftOut, name, title }: CaseReport): string =>
  [
    `## ${title[0]?.toUpperCase()}${title.slice(1)}`,
    "",
    `\`npx -y pnpm@12 bench --only ${name}\``,
    "",
    ...(leftOut.length === 0 ? [] : [`Left out, as they were not installed: ${leftOut.join(", ")}.`, ""]),
    "| | | goal | met |",
    "| --- | --- | --- | --- |",
    ...figures.map(row),
    "",
    ...(note[name] === undefined ? [] : [note[name], ""])
  ].join("\n")

/** The page and the picture in it. */
export const page = (reports: ReadonlyArray<Report>): { readonly markdown: string; readonly svg: string } => {
  const [first] = reports
  if (first === undefined) throw new Error("name a file of figures at least")
  const cases = all(reports)
  const markdown = [
    introduction(first, reports),
    "![How throughput, time and memory change with size, latency and length](performance.svg)\n\n",
    cases.map(section).join("\n")
  ].join("")
  return { markdown, svg: chart(cases.flatMap(({ figures }) => figures)) }
}
