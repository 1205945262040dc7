/**
 * The keys under which container tools keep the login of a registry or of a part of it.
 *
 * containers-auth.json(5): a key may name a path in a registry (`quay.io/project`), and the most specific one wins.
 * Kubernetes, "Images", "Interpretation of config.json": `*` stands for a part of a label of the host. docker's own
 * keys may be addresses of an API (`https://index.docker.io/v1/`).
 */

/** What a key names, or what a login is looked for. */
interface Named {
  readonly host: string
  readonly path: ReadonlyArray<string>
}

/** The hosts under which Docker Hub goes. */
const hub = ["docker.io", "index.docker.io", "registry-1.docker.io"]

const hostOf = (host: string): string => {
  const lower = host.toLowerCase()
  return hub.includes(lower) ? "docker.io" : lower
}

/** The server that docker's tools ask their helpers for. */
export const serverOf = (loginServer: string): string =>
  hostOf(loginServer) === "docker.io" ? "https://index.docker.io/v1/" : loginServer

const parse = (key: string): Named => {
  const parts = key.replace(/^https?:\/\//i, "").split("/")
  const [host = "", ...path] = parts.slice(0, parts.findLastIndex((part) => part !== "") + 1)
  return { host: hostOf(host), path: path.length === 1 && /^v[12]$/.test(path[0] ?? "") ? [] : path }
}

/** Whether a label fits a pattern, in which each `*` stands for any characters. Linear in the length of both. */
const labelFits = (pattern: string, label: string): boolean => {
  const [start = "", ...rest] = pattern.split("*")
  const end = rest.pop()
  if (end === undefined) return pattern === label
  if (label.length < start.length + end.length || !label.startsWith(start) || !label.endsWith(end)) return false
  const last = label.length - end.length
  let from = start.length
  return rest.every((part) => {
    const found = label.indexOf(part, from)
    from = found + part.length
    return found !== -1 && from <= last
  })
}

/** A host and its port, if it has one. */
const withoutPort = (host: string): readonly [string, string] => {
  const colon = host.lastIndexOf(":")
  return colon === -1 ? [host, ""] : [host.slice(0, colon), host.slice(colon)]
}

/** Whether a host fits a pattern of as many labels, whose port must be the same. */
const hostFits = (pattern: string, host: string): boolean => {
  const [patternName, patternPort] = withoutPort(pattern)
  const [name, port] = withoutPort(host)
  if (patternPort !== port) return false
  const patterns = patternName.split(".")
  const labels = name.split(".")
  return patterns.length === labels.length && patterns.every((one, index) => labelFits(one, labels[index] ?? ""))
}

/** What a key counts for a registry: the larger, the more specific. Undefined if it is for another. */
const specificity = (key: string, wanted: Named, exact: string): ReadonlyArray<number> | undefined => {
  const { host, path } = parse(key)
  const isHost = host === wanted.host
  if (!isHost && !(host.includes("*") && hostFits(host, wanted.host))) return undefined
  if (!path.every((segment, index) => segment === wanted.path[index])) return undefined
  return [isHost ? 1 : 0, path.length, key === exact ? 1 : 0, host.length]
}

/** Whether a key is for a part of a registry only. */
export const isForPart = (key: string): boolean => parse(key).path.length > 0

/** Whether a key names a registry as a whole, in any spelling, and no pattern. */
export const isForWhole = (key: string, loginServer: string): boolean => {
  const { host, path } = parse(key)
  return path.length === 0 && host === hostOf(loginServer)
}

const byLargest = (one: ReadonlyArray<number>, other: ReadonlyArray<number>): number => {
  const difference = one.findIndex((value, index) => value !== other[index])
  return difference === -1 ? 0 : (other[difference] ?? 0) - (one[difference] ?? 0)
}

/**
 * The entries for a repository, or for a registry as a whole, the most specific first: those of the host before those
 * of a pattern, of these the longest path, and the very name of the registry before other forms of it.
 */
export const entriesFor = <A>(
  entries: { readonly [key: string]: A },
  loginServer: string,
  repository: string | undefined
): ReadonlyArray<A> => {
  const wanted = { host: hostOf(loginServer), path: repository === undefined ? [] : repository.split("/") }
  return Object.entries(entries)
    .flatMap(([key, entry]) => {
      const rank = specificity(key, wanted, loginServer)
      return rank === undefined ? [] : [{ entry, rank }]
    })
    .toSorted((one, other) => byLargest(one.rank, other.rank))
    .map(({ entry }) => entry)
}

/** The registry that a key names, if it is no pattern. */
export const registryOf = (key: string): string | undefined => {
  const { host } = parse(key)
  return host === "" || host.includes("*") ? undefined : host
}
