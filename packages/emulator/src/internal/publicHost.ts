/**
 * The host and port that clients use for the registry, if these differ from those that it listens on.
 */

export interface PublicHost {
  /** Without the brackets of an IPv6 address. */
  readonly host: string
  readonly port: number | undefined
}

const shape = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i

/** Reads `registry.test` or `registry.test:5001`; an IPv6 address stands in brackets. */
export const parse = (text: string): PublicHost | undefined => {
  const [, address, name, digits] = shape.exec(text) ?? []
  const host = address ?? name
  const port = digits === undefined ? undefined : Number(digits)
  if (host === undefined || (port !== undefined && (port < 1 || port > 65_535))) return undefined
  return URL.canParse(`http://${inAddress(host)}`) ? { host, port } : undefined
}

/** A host as written in an address. */
export const inAddress = (host: string): string => (host.includes(":") ? `[${host}]` : host)

const defaultPorts = { http: 80, https: 443 }

/** A host and a port as written in references, without the default port of the scheme. */
export const loginServerOf = (scheme: "http" | "https", { host, port }: PublicHost, listening: number): string => {
  const given = port ?? listening
  return given === defaultPorts[scheme] ? inAddress(host) : `${inAddress(host)}:${given}`
}
