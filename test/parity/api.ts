/**
 * The public API as a type: removing a member that docs/from-dotnet.md names is an error of the compiler.
 */
import type * as AzureIdentity from "@effect-acr/azure-identity"
import type * as Client from "@effect-acr/client"
import type * as Emulator from "@effect-acr/emulator"
import type * as Node from "@effect-acr/node"

interface Packages {
  readonly client: typeof Client
  readonly node: typeof Node
  readonly "azure-identity": typeof AzureIdentity
  readonly emulator: typeof Emulator
}

/** What a package's modules export: `client/Credentials.layerAnonymous`. */
type Exports<P extends keyof Packages> = {
  readonly [M in keyof Packages[P] & string]: `${P}/${M}.${keyof Packages[P][M] & string}`
}[keyof Packages[P] & string]

/** What has members of its own, by its package, its module and its name. */
interface Shapes {
  readonly "client/ContainerRegistry.ContainerRegistry": Client.ContainerRegistry.Service
  readonly "client/ContainerRegistry.DeletedRepository": Client.ContainerRegistry.DeletedRepository
  readonly "client/ContainerRegistry.ListOptions": Client.ContainerRegistry.ListOptions
  readonly "client/ContainerRegistry.ListTagsOptions": Client.ContainerRegistry.ListTagsOptions
  readonly "client/ContainerRegistry.OrderedListOptions": Client.ContainerRegistry.OrderedListOptions
  readonly "client/Descriptor.Descriptor": Client.Descriptor.Descriptor
  readonly "client/Manifest.Content": Client.Manifest.Content
  readonly "client/Manifest.ImageManifest": Client.Manifest.ImageManifest
  readonly "client/ManifestProperties.ManifestProperties": Client.ManifestProperties.ManifestProperties
  readonly "client/ManifestProperties.RelatedArtifact": Client.ManifestProperties.RelatedArtifact
  readonly "client/RegistryContent.RegistryContent": Client.RegistryContent.Service
  readonly "client/RegistryError.RegistryError": Client.RegistryError.RegistryError
  readonly "client/RepositoryProperties.RepositoryProperties": Client.RepositoryProperties.RepositoryProperties
  readonly "client/TagProperties.TagProperties": Client.TagProperties.TagProperties
  readonly "client/Transport.Options": Client.Transport.Options
  readonly "client/Transport.Transport": Client.Transport.Service
  readonly "client/RegistryContent.PutManifestOptions": Client.RegistryContent.PutManifestOptions
}

/** The members that a type names: where any field may stand beside them, those are not meant. */
type Named<T> = keyof { [K in keyof T as string extends K ? never : K]: T[K] } & string

/** `client/ContainerRegistry.ContainerRegistry#deleteTag` */
type Members = { readonly [S in keyof Shapes]: `${S}#${Named<Shapes[S]>}` }[keyof Shapes]

/** A member of the public API. */
export type Member = { readonly [P in keyof Packages]: Exports<P> }[keyof Packages] | keyof Shapes | Members

/** Services: their members have headings of their own in the reference. */
const services: ReadonlyArray<string> = [
  "client/ContainerRegistry.ContainerRegistry",
  "client/RegistryContent.RegistryContent",
  "client/Transport.Transport"
]

/** How a member is called where it is used. */
export const nameOf = (member: Member): string => member.replace(/^.*[.#]/, "")

/** Where the reference tells of a member: under its own heading, or that of the model or the options that it is of. */
export const referenceOf = (member: Member): string => {
  const [owner = "", own = ""] = member.split("#", 2)
  const [module, name = ""] = owner.split(".", 2)
  return `api/${module}.md#${(services.includes(owner) && own !== "" ? own : name).toLowerCase()}`
}
