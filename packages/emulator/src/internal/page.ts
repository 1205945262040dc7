/**
 * Lists in pages: the part that a query asks for, and the link to the next one.
 */
import type { Answer } from "./answer.ts"

/** Which part of a list a query asks for. */
export interface Part {
  readonly n: number
  readonly last: string | undefined
  readonly orderby: string
}

const defaultPageSize = 100
const maxPageSize = 1000

export const partOf = (query: URLSearchParams): Part => {
  const n = Number(query.get("n") ?? defaultPageSize)
  return {
    n: Number.isInteger(n) && n > 0 ? Math.min(n, maxPageSize) : defaultPageSize,
    last: query.get("last") ?? undefined,
    orderby: query.get("orderby") ?? ""
  }
}

/** Cuts a page out of sorted items, and writes the link to the next one. */
export const page = <A>(
  path: string,
  items: ReadonlyArray<A>,
  keyOf: (item: A) => string,
  { last, n, orderby }: Part
): { readonly items: ReadonlyArray<A>; readonly headers: Answer["headers"] } => {
  const inOrderOfKeys = orderby === "" || orderby === "none"
  const begin =
    last === undefined
      ? 0
      : inOrderOfKeys
        ? items.filter((item) => keyOf(item) <= last).length
        : items.findIndex((item) => keyOf(item) === last) + 1
  const cut = items.slice(begin, begin + n)
  const final = cut.at(-1)
  return {
    items: cut,
    headers:
      final === undefined || begin + n >= items.length
        ? {}
        : {
            Link: `<${path}?last=${encodeURIComponent(keyOf(final))}&n=${n}&orderby=${encodeURIComponent(orderby)}>; rel="next"`
          }
  }
}
