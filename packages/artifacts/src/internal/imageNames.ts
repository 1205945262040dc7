/**
 * Names of images, as Docker shows them (`alpine:3.20`) and as containerd stores them (`docker.io/library/alpine:3.20`).
 * distribution's documentation, "reference".
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"

/** The tag. OCI image specification, annotations.md. */
export const refName = "org.opencontainers.image.ref.name"

/** containerd, Docker and BuildKit write the full name here, and the tag alone to `refName`. */
export const imageName = "io.containerd.image.name"

const hub = "docker.io"

/** The owner on Docker Hub of images whose names have none. */
const official = "library"

/** Whether the first part of a name is a registry, not an owner on Docker Hub. */
const isRegistry = (part: string): boolean => /[.:]/.test(part) || part === "localhost"

/** The name with its registry. */
export const fullName = (name: string): string => {
  const [first = "", ...rest] = name.split("/")
  if (rest.length === 0) return `${hub}/${official}/${name}`
  if (!isRegistry(first)) return `${hub}/${name}`
  if (first !== hub && first !== `index.${hub}`) return name
  return rest.length === 1 ? `${hub}/${official}/${rest[0]}` : `${hub}/${rest.join("/")}`
}

/** The name without the parts that Docker leaves out. */
export const familiarName = (name: string): string => {
  const full = fullName(name)
  const beginnings = [`${hub}/${official}/`, `${hub}/`]
  return full.slice(beginnings.find((beginning) => full.startsWith(beginning))?.length ?? 0)
}

/** The tag of a name; undefined if it has none. The colon of a port is followed by a slash. */
export const tagOf = (name: string): string | undefined => /:([^:/]+)$/.exec(name)?.[1]

/** A descriptor with a name, as Docker and containerd write it. */
export const namedAs = (descriptor: Descriptor, name: string): Descriptor => {
  const tag = tagOf(name)
  return {
    ...descriptor,
    annotations: {
      ...descriptor.annotations,
      [imageName]: fullName(name),
      ...(tag === undefined ? {} : { [refName]: tag })
    }
  }
}
