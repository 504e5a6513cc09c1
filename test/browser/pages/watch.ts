/** First script of a page: counts what touches WebAssembly, and what the Content-Security-Policy stops. */
export interface Watched {
  /** Names of the WebAssembly functions that were called. */
  readonly wasmCalls: readonly string[];
  /** What was blocked, as the policy names it. */
  readonly violations: readonly string[];
}

const wasmCalls: string[] = [];
const violations: string[] = [];

for (const name of ["validate", "compile", "instantiate", "Module", "Instance", "Memory"] as const) {
  const noted = new Proxy(WebAssembly[name] as new (...args: unknown[]) => object, {
    apply(target, self, args) {
      wasmCalls.push(name);
      return Reflect.apply(target, self, args);
    },
    construct(target, args) {
      wasmCalls.push(name);
      return Reflect.construct(target, args);
    },
  });
  Object.defineProperty(WebAssembly, name, { value: noted });
}
addEventListener("securitypolicyviolation", (event) => violations.push(event.blockedURI));

/** Returns what was seen so far. Violations are reported by an event of their own, hence the wait. */
export async function watched(): Promise<Watched> {
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { wasmCalls: [...wasmCalls], violations: [...violations] };
}
