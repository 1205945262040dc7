/**
 * docs/performance.md: what several runs of the benchmarks found, and why it is so.
 */
import { chart } from "./chart.ts"
import { type CaseReport, type Figure, format, goalOf, isMet, type Report } from "./report.ts"
import { table } from "../support/markdown.ts"
import { median } from "./turns.ts"

const introduction = ({ machine, rounds }: Report, reports: ReadonlyArray<Report>): string => `# Performance

What follows is written from ${reports.length === 1 ? "one whole run" : `${reports.length} whole runs`} of the benchmarks, of ${rounds} rounds for each
figure, on ${machine.processor} with ${machine.cores} cores and ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}
(${[...new Set(reports.map(({ date }) => date))].join(", ")}):

\`\`\`sh
npx -y pnpm@12 bench --rounds ${rounds} --json test/bench/runs/1.json   # and again: 2.json
npx -y pnpm@12 performance
\`\`\`

A figure is a ratio from one and the same run, never a time: contestants have turns in an order drawn anew for each
round, each turn in a process of its own, against the same server on the same machine. Where the figure is
"ours ÷ another", it is throughput, and above 1 this library is the faster one. Given are the median of all rounds, and the
lowest and the highest.

The contestants: this library; the Azure SDK for JavaScript (\`@azure/container-registry\` 1.1.2); a bare loop around
undici or \`node:https\` with \`node:crypto\` and no library at all, of which the faster one counts; for small answers also
Effect alone, its HTTP client and its schemas without this library; \`skopeo copy\`, whose time to start is taken off. All
but skopeo are bundled to one file first. The server is the least that can answer over TLS, so
that the client is what is measured; images go to a real docker-registry.

`

/** Why figures are as they are: of cases in which a goal is not met, or in which a reader would wonder. */
const note: { readonly [name: string]: string } = {
  download: `The third row is the limit for the second: where that is below the goal, no client reaches it here. What the library adds
to the loop shows in the processor's samples of a download of 2 GiB (\`perf record\`): 28% of them are in SHA-256 for both,
23% and 21% in the kernel, 3.4% and 2.7% in compiled JavaScript, undici's included. The rest of the difference is time in
which neither side works: bytes pass from the fibre that reads to the one that hashes.`,
  upload: `Bytes go out in pieces of a mebibyte, each hashed before it is sent, while those before it are on their way. What differs
from the bare loop is a fibre that is woken for each piece, and code that is not compiled yet: for 2,000 MiB the figure
was 0.97 in five rounds.`,
  "upload-file": `Each piece of a file is read into memory of its own, because nobody but the HTTP client knows when it is done with one.
The collector of garbage runs twice as often for it as in the bare loop (\`node --trace-gc\`: 22 to 26 times and 10 to 11
times for 512 MiB), beside the transfer. An experiment in which eight pieces of memory were used in turns was faster than
the bare loop (1.06) and held 119 MiB; it is not safe with every HTTP client, and not in here.`,
  memory: `Peak memory is that of the whole process, as Linux counts it. Uploads of files read two mebibytes at a time and three
pieces ahead. Pieces of half the size held 14 MiB less, and took a tenth longer.`,
  growth: `Each transfer is one of a fresh process: what it takes to compile the code, and to open the connection, is a large part
of 16 MiB and next to nothing of 2 GiB. So throughput rises with size, from 512 MiB to 2 GiB still by an eighth.`,
  image: `The registry does most of the work, and shares two cores with its client: even a loop without a library gains little on
the Azure SDK, as the last two rows show. What this library adds to that loop is mostly the time until its code is
compiled: all of it runs forty times in half a second.`,
  lists: `The list is asked for page by page, and a page only when its first item is wanted: reading ahead would hide the time for
decoding. Each item is decoded and checked, with two times and four attributes (8 µs each once compiled, of 21 µs
for everything in a list of 50,000), where the bare loop counts what JSON.parse gives it.`,
  "list-growth": `Time for each item falls, as code is compiled on the way. For memory, Node has 48 MiB for old objects and 1 MiB for new
ones here; with its defaults it lets garbage lie.`,
  manifests: `Here we lose. A read is two spans, a request name, metrics, a timer, a scope, a retry loop, a digest and a manifest decoded
by its schema: 0.19 ms once compiled without any network, of which decoding is 0.03 ms; the profile is flat, and what
stands out in it is 12% for collecting garbage and 5% for the exception that aborting a request that is over makes
(\`node --cpu-prof\`). Spans that look for their place in the source, and reasons of errors made before there is
an error, took 0.13 ms more.`,
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

const section = ({ figures, leftOut, name, title }: CaseReport): string =>
  [
    `## ${title[0]?.toUpperCase()}${title.slice(1)}`,
    "",
    `\`npx -y pnpm@12 bench --only ${name}\``,
    "",
    ...(leftOut.length === 0 ? [] : [`Left out, as they were not installed: ${leftOut.join(", ")}.`, ""]),
    table(["What", "Median", "Rounds", "Goal", "Met"], figures.map(row)),
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
