/**
 * How figures change with size, latency or length, as a picture: a panel for each row of points.
 */
import type { Figure } from "./report.ts"
import { median } from "./turns.ts"

interface Series {
  readonly title: string
  readonly points: ReadonlyArray<{ readonly x: number; readonly label: string; readonly y: number }>
}

/** The rows of points, each in the order of its places. */
const seriesOf = (figures: ReadonlyArray<Figure>): ReadonlyArray<Series> => {
  const titles = new Set(figures.flatMap(({ point }) => (point === undefined ? [] : [point.of])))
  return [...titles].map((title) => ({
    title,
    points: figures
      .flatMap(({ point, values }) =>
        point?.of === title ? [{ x: point.x, label: `${point.x} ${point.unit}`, y: median(values) }] : []
      )
      .toSorted((one, other) => one.x - other.x)
  }))
}

const width = 380
const height = 200
const plot = { left: 48, right: 360, top: 44, bottom: 160 }

/** One panel. The places are apart evenly, as they grow by factors; the height begins at nothing. */
const panel = ({ points, title }: Series, column: number, line: number): string => {
  const most = Math.max(1, ...points.map(({ y }) => y)) * 1.15
  const across = (index: number) => plot.left + ((plot.right - plot.left) * (index + 0.5)) / points.length
  const up = (value: number) => plot.bottom - ((plot.bottom - plot.top) * Math.max(0, value)) / most
  const path = points.map(({ y }, index) => `${across(index).toFixed(1)},${up(y).toFixed(1)}`).join(" ")
  return [
    `<g transform="translate(${column * width} ${line * height})">`,
    `<text x="${plot.left}" y="24" font-weight="bold">${title}</text>`,
    `<line x1="${plot.left}" x2="${plot.right}" y1="${plot.bottom}" y2="${plot.bottom}" stroke="#999"/>`,
    `<line x1="${plot.left}" x2="${plot.right}" y1="${up(1)}" y2="${up(1)}" stroke="#999" stroke-dasharray="3 3"/>`,
    `<text x="${plot.left - 6}" y="${up(1) + 4}" text-anchor="end">1</text>`,
    `<polyline points="${path}" fill="none" stroke="#0969da" stroke-width="2"/>`,
    ...points.flatMap(({ label, y }, index) => [
      `<circle cx="${across(index)}" cy="${up(y)}" r="3.5" fill="#0969da"/>`,
      `<text x="${across(index)}" y="${up(y) - 9}" text-anchor="middle">${y.toFixed(2)}</text>`,
      `<text x="${across(index)}" y="${plot.bottom + 18}" text-anchor="middle">${label}</text>`
    ]),
    "</g>"
  ].join("\n")
}

export const chart = (figures: ReadonlyArray<Figure>): string => {
  const series = seriesOf(figures)
  const lines = Math.ceil(series.length / 2)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * width} ${lines * height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...series.map((one, index) => panel(one, index % 2, Math.floor(index / 2))),
    "</svg>",
    ""
  ].join("\n")
}
