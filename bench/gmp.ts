/**
 * The product mod p with GMP compiled to WebAssembly. gmp-wasm is under the LGPL-3.0: this benchmark uses it as it is
 * published, and nothing of it is in the package.
 */
import { init } from "gmp-wasm";
import type { Row } from "../cli/bench/row.ts";
import { SAKKE } from "../test/crypto/reference/params.ts";
import { products } from "./baseline.ts";

const PRODUCTS = 500;

/** Throws unless GMP and the reference agree. */
export async function gmpRows(): Promise<Row[]> {
  const { binding } = await init();
  const { mpz_mul: multiply, mpz_tdiv_r: remainder } = binding;
  const variable = (value: bigint) => {
    const x = binding.mpz_t();
    binding.mpz_init_set_string(x, value.toString(16), 16);
    return x;
  };
  const [x, factor, p, wide] = [variable(SAKKE.Px), variable(SAKKE.Py), variable(SAKKE.p), variable(0n)];
  const run = (count: number) => {
    for (let i = 0; i < count; i++) {
      multiply(wide, x, factor);
      remainder(x, wide, p);
    }
  };
  run(3);
  if (BigInt(`0x${binding.mpz_to_string(x, 16)}`) !== products(SAKKE.Px, SAKKE.Py, 3)) {
    throw new Error("GMP and the reference disagree");
  }
  return [{ name: "field.multiply", operations: PRODUCTS, run: () => run(PRODUCTS) }];
}
