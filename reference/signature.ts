/**
 * Exports as one would declare them: without the code behind them.
 */
import ts from "typescript"
import { block, type Printer } from "./types.ts"

/** Whether a class is a service, of which the interface `Service` beside it says what it does. */
export const isService = (node: ts.ClassDeclaration): boolean => {
  const shape = node.heritageClauses?.[0]?.types[0]?.expression
  const call = shape !== undefined && ts.isCallExpression(shape) ? shape.expression : undefined
  return call !== undefined && ts.isCallExpression(call) && call.typeArguments?.[1]?.getText() === "Service"
}

const parameterOf = (parameter: ts.ParameterDeclaration): string => {
  if (parameter.initializer === undefined) return parameter.getText()
  return `${parameter.name.getText()}?: ${parameter.type?.getText() ?? "unknown"}`
}

/** What an effect's type is, where a generator function names its result. */
const effectOf = (type: ts.TypeNode | undefined): string | undefined =>
  type?.getText().replace(/^Effect\.fn\.Return</, "Effect.Effect<")

/** The type of a function; of the function that it gives, where it is curried. */
const functionType = (node: ts.ArrowFunction | ts.FunctionExpression): string => {
  const generics =
    node.typeParameters === undefined ? "" : `<${node.typeParameters.map((type) => type.getText()).join(", ")}>`
  const result = effectOf(node.type) ?? (ts.isArrowFunction(node.body) ? functionType(node.body) : undefined)
  if (result === undefined)
    throw new Error(`a public function does not say what it gives: ${node.getText().slice(0, 60)}`)
  return `${generics}(${node.parameters.map(parameterOf).join(", ")}) => ${result}`
}

/** The function that a value is, if it is one. */
const functionIn = (value: ts.Expression | undefined): ts.ArrowFunction | ts.FunctionExpression | undefined => {
  if (value === undefined) return undefined
  if (ts.isArrowFunction(value) || ts.isFunctionExpression(value)) return value
  return ts.isCallExpression(value) && value.expression.getText() === "Effect.fnUntraced"
    ? functionIn(value.arguments[0])
    : undefined
}

/** A value that says all there is to know, so that it is shown. */
const isPlain = (value: ts.Expression | undefined): boolean =>
  value !== undefined &&
  (ts.isLiteralExpression(value) || ts.isObjectLiteralExpression(value) || ts.isArrayLiteralExpression(value))

export const valueCode = ({ initializer, name, type }: ts.VariableDeclaration): string => {
  const known = functionIn(initializer)
  if (type === undefined && known !== undefined) return `declare const ${name.getText()}: ${functionType(known)}`
  const typed = type === undefined ? name.getText() : `${name.getText()}: ${type.getText()}`
  return type === undefined || isPlain(initializer)
    ? `const ${typed} = ${initializer?.getText() ?? "undefined"}`
    : `declare const ${typed}`
}

/** What a schema is for, under its name if that has one. Its own type is long, and no reader needs it. */
export const schemaCode = (
  checker: ts.TypeChecker,
  printer: Printer,
  schema: { readonly name: string; readonly type: ts.Type; readonly isNamed: boolean }
): string => {
  const typeOf = (property: string): string => {
    const symbol = schema.type.getProperty(property)
    return symbol === undefined ? "unknown" : printer.print(checker.getTypeOfSymbol(symbol))
  }
  const read = typeOf("Type")
  const encoded = typeOf("Encoded")
  const shown = schema.isNamed ? schema.name : read
  if (encoded === read) return `declare const ${schema.name}: Schema.Codec<${shown}>`
  return encoded === "string"
    ? `declare const ${schema.name}: Schema.Codec<${shown}, string>`
    : `declare const ${schema.name}: Schema.Schema<${shown}>`
}

export const classCode = (checker: ts.TypeChecker, printer: Printer, node: ts.ClassDeclaration, name: string) => {
  const heritage = node.heritageClauses?.[0]?.types[0]?.expression
  const parent = heritage?.getText().split(/[<(]/)[0] ?? "Object"
  const type = checker.getTypeAtLocation(node)
  const fields = printer.ownFields(type).filter(({ name }) => name !== "name")
  const tag = type.getProperty("_tag")
  const head = tag === undefined ? [] : [`readonly _tag: ${checker.typeToString(checker.getTypeOfSymbol(tag))}`]
  return {
    code: `declare class ${name} extends ${parent} ${block([...head, ...fields.map(({ text }) => text)])}`,
    fields
  }
}
