/**
 * Names the operation that the caller called in errors. An operation may execute others: requests for tokens, parts of
 * a transfer, a tag that is resolved first. To the caller, their errors are those of the whole operation.
 */
import { RegistryError } from "../../RegistryError.ts"

/** The same error, with the operation that the caller called. */
export const named =
  (operation: string) =>
  (error: RegistryError): RegistryError =>
    error.operation === operation ? error : new RegistryError({ ...error, operation })
