/** The built-in modules of Node, for isomorphic code: none of them exists in a browser. */
interface Host {
  process?: { getBuiltinModule?: (name: string) => unknown };
}

/** A built-in module of Node, or undefined elsewhere. No import, so that bundlers for browsers see nothing. */
export function builtinModule<T>(name: string): T | undefined {
  return (globalThis as Host).process?.getBuiltinModule?.(name) as T | undefined;
}
