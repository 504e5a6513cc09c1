/** JavaScript's own arithmetic as the unit that the shipped command compares with. */
import { systemRandom, toHex } from "../../bindings/index.ts";

const PRODUCTS = 1000;
const BYTES = 128;

/** A chain of `a * b % m` with operands of 1024 bits, as long as p of SAKKE parameter set 1. */
export function plainProducts(): { operations: number; run: () => bigint } {
  const draw = () => BigInt(`0x${toHex(systemRandom(BYTES))}`) | (1n << BigInt(8 * BYTES - 1)) | 1n;
  const [a, b, m] = [draw(), draw(), draw()];
  return {
    operations: PRODUCTS,
    run: () => {
      let x = a;
      for (let i = 0; i < PRODUCTS; i++) x = (x * b) % m;
      return x;
    },
  };
}
