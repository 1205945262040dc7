/**
 * Images to fill an emulator with.
 *
 * `AcrEmulator.seed` takes them.
 *
 * @since 0.1.0
 */

/**
 * An image, as simple as it can be said.
 *
 * @category models
 * @since 0.1.0
 */
export interface SeedImage {
  /** The repository to put it into; it is made if it is missing. */
  readonly repository: string
  /** None if not given: the image is then known by its digest alone. */
  readonly tags?: ReadonlyArray<string>
  /**
   * What it runs on, as `os/architecture`; `linux/amd64` if not given. Several make an index of as many images, and
   * the tags name the index.
   */
  readonly platforms?: ReadonlyArray<string>
  /** The contents of its layers; one small layer if not given. */
  readonly layers?: ReadonlyArray<string | Uint8Array>
  /** When it is said to have been pushed, in milliseconds since 1970; now if not given. */
  readonly pushedAtMillis?: number
}
