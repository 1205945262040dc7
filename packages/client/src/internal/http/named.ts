/**
 * Names the operation that the caller called. What an operation sends are operations of their own: requests for tokens,
 * parts of a transfer, a tag that is resolved first. Their errors are those of the whole to the caller.
 */
import { RegistryError } from "../../RegistryError.ts"

/** The same error, of the operation that the caller called. */
export const named =
  (operation: string) =>
  (error: RegistryError): RegistryError =>
    error.operation === operation ? error : new RegistryError({ ...error, operation })
