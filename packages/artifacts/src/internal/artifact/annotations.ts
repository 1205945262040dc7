/**
 * What oras writes on the layers of an artifact that is made of files. Its source, content/file.
 */

/** Whether a layer is a folder in an archive. */
export const unpack = "io.deis.oras.content.unpack"

/** The digest of that archive before it was compressed. */
export const unpackedDigest = "io.deis.oras.content.digest"
