/**
 * Errors after which no other request with the same credentials would succeed.
 */
import type { RegistryError } from "@effect-acr/client/RegistryError"

const denials: ReadonlySet<string> = new Set(["Forbidden", "Unauthenticated", "CredentialUnavailable"])

export const isDenied = ({ reason }: RegistryError): boolean => denials.has(reason._tag)
