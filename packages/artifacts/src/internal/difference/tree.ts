/**
 * The files of an image with all layers applied. Reads no content.
 */
import * as Digest from "@effect-acr/client/Digest"
import * as Schema from "effect/Schema"

/**
 * The state of a file of an image.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FileState = Schema.Struct({
  /** The type. */
  type: Schema.Literals(["file", "folder", "link", "device"]),
  /** The permission bits, with setuid, setgid and the sticky bit. */
  mode: Schema.Natural,
  /** The size of the content, in bytes. */
  size: Schema.Natural,
  /** The digest of the content of a file. */
  digest: Schema.optionalKey(Digest.Digest),
  /** The target of a link. */
  target: Schema.optionalKey(Schema.String)
})

/**
 * The state of one file of an image.
 *
 * @category models
 * @since 0.1.0
 */
export type FileState = typeof FileState.Type

/**
 * A file in which two images differ.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FileDifference = Schema.Struct({
  /** The path, without a leading slash. */
  path: Schema.String,
  /** Whether the second image adds, lacks or changes it. */
  change: Schema.Literals(["added", "removed", "changed"]),
  /** The file in the first image. Absent if it was added. */
  left: Schema.optionalKey(FileState),
  /** The file in the second image. Absent if it was removed. */
  right: Schema.optionalKey(FileState)
})

/**
 * One file in which two images differ.
 *
 * @category models
 * @since 0.1.0
 */
export type FileDifference = typeof FileDifference.Type

/** A name in a folder. */
interface Node {
  /** Absent of a folder that no layer names. */
  state: FileState | undefined
  /** The number of the layer that named it last. */
  layer: number
  children: Map<string, Node> | undefined
}

/** The files of an image. */
export interface Tree {
  readonly root: Node
  /** How many names there are. */
  count: number
}

const makeNode = (layer: number): Node => ({ state: undefined, layer, children: undefined })

export const make = (): Tree => ({ root: makeNode(0), count: 0 })

const cloneNode = (node: Node): Node => ({
  state: node.state,
  layer: node.layer,
  children:
    node.children === undefined
      ? undefined
      : new Map(Array.from(node.children, ([name, child]) => [name, cloneNode(child)] as const))
})

/** A copy, for another image with the same layers at the bottom. */
export const clone = ({ count, root }: Tree): Tree => ({ root: cloneNode(root), count })

const find = ({ root }: Tree, parts: ReadonlyArray<string>): Node | undefined => {
  let at: Node | undefined = root
  for (const part of parts) at = at?.children?.get(part)
  return at
}

const countOf = (node: Node): number => {
  let count = 1
  for (const child of node.children?.values() ?? []) count += countOf(child)
  return count
}

/** The state of a file; undefined if it does not exist. */
export const stateOf = (tree: Tree, parts: ReadonlyArray<string>): FileState | undefined => find(tree, parts)?.state

/** Puts a file in place of what has its name. A folder keeps its content. */
export const put = (tree: Tree, parts: ReadonlyArray<string>, state: FileState, layer: number): void => {
  let at = tree.root
  for (const part of parts) {
    // A file or a link of the layers below becomes a folder.
    at.children ??= new Map()
    let next = at.children.get(part)
    if (next === undefined) {
      next = makeNode(layer)
      at.children.set(part, next)
      tree.count++
    }
    at = next
    // Folders on the way are of this layer as well, so that its own whiteouts do not remove what is in them.
    at.layer = layer
  }
  if (state.type !== "folder" && at.children !== undefined) {
    tree.count -= countOf(at) - 1
    at.children = undefined
  }
  at.state = state
}

/** Removes what the layers below have at a name. */
export const remove = (tree: Tree, parts: ReadonlyArray<string>, layer: number): void => {
  const folder = find(tree, parts.slice(0, -1))
  const name = parts.at(-1) ?? ""
  const node = folder?.children?.get(name)
  if (folder?.children === undefined || node === undefined) return
  // A whiteout affects only the layers below, regardless of its position in its own layer.
  if (node.layer === layer) return empty(tree, parts, layer)
  tree.count -= countOf(node)
  folder.children.delete(name)
}

/** Removes all that the layers below have in a folder. */
export const empty = (tree: Tree, parts: ReadonlyArray<string>, layer: number): void => {
  for (const name of Array.from(find(tree, parts)?.children?.keys() ?? [])) remove(tree, [...parts, name], layer)
}

const isSame = (left: FileState, right: FileState): boolean =>
  left.type === right.type &&
  left.mode === right.mode &&
  left.size === right.size &&
  left.digest === right.digest &&
  left.target === right.target

const differenceOf = (path: string, left: FileState | undefined, right: FileState | undefined) => {
  if (left === undefined) return right === undefined ? [] : [{ path, change: "added" as const, right }]
  if (right === undefined) return [{ path, change: "removed" as const, left }]
  return isSame(left, right) ? [] : [{ path, change: "changed" as const, left, right }]
}

const compareNodes = (
  left: Node | undefined,
  right: Node | undefined,
  parts: ReadonlyArray<string>,
  found: Array<FileDifference>
): void => {
  found.push(...differenceOf(parts.join("/"), left?.state, right?.state))
  const names = new Set([...(left?.children?.keys() ?? []), ...(right?.children?.keys() ?? [])])
  for (const name of Array.from(names).toSorted()) {
    compareNodes(left?.children?.get(name), right?.children?.get(name), [...parts, name], found)
  }
}

/** The differences of two images, by path. */
export const compare = (left: Tree, right: Tree): ReadonlyArray<FileDifference> => {
  const found: Array<FileDifference> = []
  compareNodes(left.root, right.root, [], found)
  return found
}
