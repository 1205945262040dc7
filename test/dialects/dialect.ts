/**
 * How a registry deviates from the specification, as data.
 */

/** A public report of a deviation, or the registry's own documentation. */
interface Deviation {
  readonly what: string
  readonly source: string
}

/** How a registry wants to be asked. */
export type Login =
  | { readonly _tag: "Open" }
  | { readonly _tag: "Password" }
  | {
      readonly _tag: "Token"
      /** Where tokens are requested, on the registry's own host or another. */
      readonly realm: string
      /** The answer of the token service. */
      readonly answer: (token: string) => object
      /** The scope that a challenge names, where it is not the one that is missing. */
      readonly placeholder?: string
    }

/** What a registry does. Whatever is left out is as the specification has it. */
export interface Dialect {
  readonly name: string
  /** The registry's host. */
  readonly host: string
  readonly repository: string
  readonly login: Login
  readonly deviations: ReadonlyArray<Deviation>
  /** The statuses of success. */
  readonly statuses?: {
    readonly patch?: number
    readonly commit?: number
    readonly putManifest?: number
    readonly delete?: number
  }
  /** The `Range` of a session that has so many bytes. */
  readonly range?: (bytes: number) => string | undefined
  /** The most bytes of a chunk; more is refused with 416. */
  readonly maxChunkBytes?: number
  /** Whether the answer to a HEAD of a blob tells its size. Defaults to true. */
  readonly tellsBlobSize?: boolean
  /** The status with which mounts are refused. */
  readonly mountRefusedWith?: number
  /** The `Link` to a next page, whose address is given; none is sent without it. */
  readonly link?: (address: string) => string | undefined
  /** The status of anonymous requests for repositories, in place of a challenge: only the root of the registry has one. */
  readonly strangersGet?: number
  /** The scope action that lists of tags want in addition. */
  readonly listAction?: string
  /** The status with which deletes are refused. */
  readonly deleteRefusedWith?: number
  /** Where reads are redirected to. */
  readonly mirror?: string
  /** Where blobs are kept: downloads are redirected there. */
  readonly storage?: string
  /** Whether the registry takes what is pushed. */
  readonly isReadOnly?: boolean
  /** The path of an upload session. */
  readonly sessionPath?: (repository: string, id: string) => string
}
