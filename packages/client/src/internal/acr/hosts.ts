/**
 * The hosts of a registry of Azure Container Registry.
 *
 * ACR's documentation, "Registry names", "Dedicated data endpoints" and "Regional endpoints": `myregistry.azurecr.io`
 * is a registry's login server, `myregistry.westeurope.geo.azurecr.io` the part of it in one region, and
 * `myregistry.westeurope.data.azurecr.io` serves only the bytes of blobs. A name is 5 to 50 letters and digits; with a
 * protected domain name label, a hyphen and a hash follow.
 */

const name = "[a-z0-9]{5,50}(?:-[a-z0-9]{1,32})?"
const wholeName = new RegExp(`^${name}$`, "i")
const dataEndpoint = new RegExp(`^(${name})\\.[a-z0-9]+\\.data\\.(azurecr\\.[a-z]+)$`)
const regionalEndpoint = new RegExp(`^https://(${name})\\.[a-z0-9]+\\.geo\\.(azurecr\\.[a-z]+)$`)
const registryOrigin = new RegExp(`^https://${name}(?:\\.[a-z0-9]+\\.geo)?\\.azurecr\\.[a-z]+$`)

/** Whether an origin is that of a registry of Azure Container Registry, or of a part of it in one region. */
export const isAcrOrigin = (origin: string): boolean => registryOrigin.test(origin)

/** Whether a text is a bare name, which is read as that of a registry of Azure's public cloud. */
export const isBareName = (text: string): boolean => wholeName.test(text) && text !== "localhost"

/** The login server of a bare name. */
export const loginServerOf = (bareName: string): string => `${bareName}.azurecr.io`

/** The login server for a data endpoint, which does not implement the registry's protocol; any other host unchanged. */
export const toLoginServer = (host: string): string => host.replace(dataEndpoint, "$1.$2")

/** The origin of the whole registry for a regional endpoint; any other origin unchanged. */
export const globalOrigin = (origin: string): string => origin.replace(regionalEndpoint, "https://$1.$2")
