// Whether a point K = (x, y) of y^2 = x^3 - 3x has order q, by quadratic characters instead of a multiplication by q.
//
// E(F_p) is cyclic of order 4 q. With the 2-isogeny phi: E -> E', E': Y^2 = X^3 + 12 X, and its dual phi', the points of
// order q are phi'(2 E'(F_p)). By 2-descent (Silverman, Tate: "Rational points on elliptic curves", III.5):
// - K = phi'(K') for a K' in E'(F_p) iff x is a square, x = s^2; then X' = 2 x + 2 y/s (the other choice is 12/X');
// - K' is in 2 E'(F_p) iff X' and X' - e are squares, e one of the roots of X^2 + 12.
// 3 and -1 are not squares. So of the two choices exactly one has a square X'; and (X' - e)(12/X' - e) = -4 x e is a
// square if e is taken to be the root that is not one. Then X' - e alone decides, for either choice.
// With t = x^((p-3)/4): x is a square iff t^2 x = 1, and then t = 1/s. (p-3)/4 = q - 1.

import { Fp, add, copy, mulPair, one, sqrPair, sub } from "./field";
import { SAKKE_CURVE } from "./generated/curves";
import { SAKKE_Q } from "./generated/moduli";
import { loadInteger, vanishes } from "./points";
import { Order, claim, release, slot } from "./scratch";

/** Bits of a window of the exponent. */
const WINDOW: i32 = 5;

/** Bit `i` of q - 1; q is odd. */
@inline function bit(i: i32): u32 {
  return i == 0 ? 0 : (load<u32>(SAKKE_Q + 16 + <usize>(i >> 5 << 2)) >> (i & 31)) & 1;
}

/**
 * out = a^(q - 1), by windows that slide over the exponent, which is public: each begins and ends with a bit of 1. out is
 * not a.
 */
function power(out: usize, a: usize): void {
  const square = slot(Order.U);
  sqrPair<Fp>(square, a);
  copy<Fp>(slot(Order.POWERS), a);
  for (let i: usize = 1; i < 1 << (WINDOW - 1); i++) {
    mulPair<Fp>(slot(<usize>Order.POWERS + i), slot(<usize>Order.POWERS + i - 1), square);
  }
  let i = 1023, begun = false;
  while (i >= 0) {
    let low = i;
    if (bit(i) == 1) {
      low = max(i - WINDOW + 1, 0);
      while (bit(low) == 0) low++;
    }
    let window = 0;
    for (; i >= low; i--) {
      if (begun) sqrPair<Fp>(out, out);
      window = 2 * window + bit(i);
    }
    if (window == 0) continue;
    const factor = slot(<usize>Order.POWERS + (window >> 1));
    if (begun) mulPair<Fp>(out, out, factor);
    else copy<Fp>(out, factor);
    begun = true;
  }
}

/** 1 if t^2 a = 1 for t = a^(q - 1), that is if a is a square other than 0. */
@inline function isSquare(a: usize, t: usize): u32 {
  const u = slot(Order.U);
  sqrPair<Fp>(u, t);
  mulPair<Fp>(u, u, a);
  sub<Fp>(u, u, one<Fp>(), 0);
  return vanishes<Fp>(u);
}

/** 1 if the point at `K` (in words, on the curve) has order q, else 0. K may be secret. */
export function hasOrderQ(K: usize): u32 {
  claim(Order.POWERS, Order.END);
  const x = slot(Order.X), y = slot(Order.Y), t = slot(Order.T), e = slot(Order.E);
  loadInteger<Fp>(x, K);
  loadInteger<Fp>(y, K + 128);
  loadInteger<Fp>(e, SAKKE_CURVE + 384);
  power(t, x);
  const square = isSquare(x, t);
  // X' - e = 2 (x + y t) - e
  mulPair<Fp>(y, y, t);
  add<Fp>(x, x, y);
  add<Fp>(x, x, x);
  sub<Fp>(x, x, e, 0);
  power(t, x);
  const both = square & isSquare(x, t);
  release(Order.POWERS, Order.END);
  return both;
}
