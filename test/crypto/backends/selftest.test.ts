/** Tests which build `load` takes, on hosts that are simulated: above all one whose fused operation rounds twice. */
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { toHex } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { type Core, load } from "../../../bindings/core/core.ts";
import { EccsiPublicKey, EccsiSigner } from "../../../bindings/eccsi/index.ts";
import { KmsMaster } from "../../../bindings/kms.ts";
import { SakkePublicKey, SakkeReceiver } from "../../../bindings/sakke/index.ts";
import { compileCore, withoutFusing } from "../../support/compile-core.ts";
import { seededRandom } from "../../support/random.ts";

const FMA = "../../../bindings/wasm/fma.ts";

/** `kind/code` of what a load fails with. */
async function failure(loading: Promise<Core>): Promise<string> {
  const error = await loading.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof MikeySakkeError) return `${error.kind}/${error.code}`;
  throw error ?? new Error("the core was loaded");
}

/** Every result of the core on fixed input, in hex. */
function everything(core: Core): Record<string, string> {
  const random = seededRandom("the same input");
  const [id, ssv, message] = [random(32), random(16), random(100)];
  const master = KmsMaster.generate(core, random);
  const keys = master.issue(id);
  const sakke = SakkePublicKey.load(core, master.zt);
  const sed = sakke.encapsulate(id, ssv);
  const eccsi = EccsiPublicKey.load(core, master.kpak);
  const signature = EccsiSigner.load(eccsi, id, keys.ssk, keys.pvt).sign(message, random);
  const opened = [false, true].map((prepare) =>
    SakkeReceiver.load(sakke, id, keys.rsk, { prepare }).decapsulate(sed),
  );
  const out = { zt: master.zt, kpak: master.kpak, ...keys, sed, signature, a: opened[0]!, b: opened[1]! };
  return {
    ...Object.fromEntries(Object.entries(out).map(([name, octets]) => [name, toHex(octets)])),
    verdict: String(eccsi.verify(id, message, signature)),
  };
}

let unfused: Uint8Array;
/** Results on this host as it is. */
let expected: Record<string, string>;

beforeAll(async () => {
  expected = everything(await load({ build: "fma" }));
  unfused = await compileCore("fma", withoutFusing);
});

afterEach(() => {
  vi.doUnmock(FMA);
  vi.resetModules();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** Makes modules that are imported afterwards see a host that runs the FMA build without fusing. */
async function loadWithoutFusing(): Promise<typeof load> {
  vi.doMock(FMA, () => ({ hex: toHex(unfused), memoryLimitsAt: 0 }));
  vi.resetModules();
  return (await import("../../../bindings/core/core.ts")).load;
}

describe("a host that rounds fused products twice", () => {
  it("is refused when it provides the module", async () => {
    const module = await WebAssembly.compile(unfused as BufferSource);
    const error = await load({ module }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ name: "MikeySakkeError", kind: "crypto", code: "NO_BUILD" });
    expect(await failure(load({ module, build: "fma" }))).toBe("crypto/NO_BUILD");
    expect(await failure(load({ module, build: "simd" }))).toBe("crypto/NO_BUILD");
  });

  it("is refused when it asks for the FMA build", async () => {
    const loadThere = await loadWithoutFusing();
    // Another instance of the class: modules were reset.
    await expect(loadThere({ build: "fma" })).rejects.toMatchObject({ kind: "crypto", code: "NO_BUILD" });
  });

  it("gets the SIMD build, with the results of the FMA build", async () => {
    const loadThere = await loadWithoutFusing();
    const fallback = await loadThere();
    expect(fallback.build).toBe("simd");
    expect(expected.verdict).toBe("true");
    expect(everything(fallback)).toEqual(expected);
    expect(everything(await load({ build: "simd" }))).toEqual(expected);
  });

  it("is refused only for its lack of fusing: the same unchanged sources are accepted elsewhere", async () => {
    const module = await WebAssembly.compile((await compileCore("fma", (source) => source)) as BufferSource);
    const core = await load({ module });
    expect(core.build).toBe("fma");
  });
});

describe("a host", () => {
  /** Refuses binaries by a rule. */
  const validateOnly = (rule: (binary: Uint8Array) => boolean) =>
    vi
      .spyOn(WebAssembly, "validate")
      .mockImplementation((binary) => rule(new Uint8Array(binary as Uint8Array<ArrayBuffer>)));

  it("with relaxed SIMD gets the FMA build unless it asks for the other", async () => {
    expect((await load()).build).toBe("fma");
    expect((await load({ build: "fma" })).build).toBe("fma");
    expect((await load({ build: "simd" })).build).toBe("simd");
  });

  it("without relaxed SIMD gets the SIMD build", async () => {
    const { hex } = await import("../../../bindings/wasm/fma.ts");
    validateOnly((binary) => toHex(binary) !== hex);
    expect((await load()).build).toBe("simd");
    expect(await failure(load({ build: "fma" }))).toBe("crypto/NO_BUILD");
  });

  it("without SIMD gets an error that says so", async () => {
    validateOnly(() => false);
    expect(await failure(load())).toBe("crypto/NO_SIMD");
    expect(await failure(load({ build: "simd" }))).toBe("crypto/NO_SIMD");
  });

  it("without WebAssembly gets an error that says so", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    expect(await failure(load())).toBe("crypto/NO_WASM");
  });

  it("that forbids compilation gets an error that names the policy", async () => {
    vi.spyOn(WebAssembly, "compile").mockRejectedValue(new EvalError("refused by policy"));
    const error = await load().catch((cause: unknown) => cause);
    expect(error).toMatchObject({ kind: "crypto", code: "NO_WASM" });
    expect((error as Error).message).toContain("wasm-unsafe-eval");
  });

  it("may provide a compiled module, which must be the build it asks for", async () => {
    const { module } = await load({ build: "simd" });
    expect((await load({ module })).build).toBe("simd");
    expect((await load({ module, build: "simd" })).module).toBe(module);
    expect(await failure(load({ module, build: "fma" }))).toBe("crypto/NO_BUILD");
  });
});
