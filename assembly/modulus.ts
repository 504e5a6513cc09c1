// Descriptors of the four moduli of the package, for scalar arithmetic and inversion. Layout, in octets from the
// start (n 32-bit words, m limbs of 30 bits, see tools/generate-constants.mjs):
//   0 n | 4 m | 8 -1/N mod 2^32 | 12 1/N mod 2^30 | 16 N (n words) | then R^2 mod N, R = 2^(32 n) (n words) | then N (m limbs)

@inline export function wordsOf(modulus: usize): i32 {
  return load<i32>(modulus);
}

@inline export function limbsOf(modulus: usize): i32 {
  return load<i32>(modulus, 4);
}

@inline export function negInverse32(modulus: usize): u32 {
  return load<u32>(modulus, 8);
}

@inline export function inverse30(modulus: usize): i32 {
  return load<i32>(modulus, 12);
}

@inline export function valueOf(modulus: usize): usize {
  return modulus + 16;
}

@inline export function rSquaredOf(modulus: usize): usize {
  return modulus + 16 + (<usize>wordsOf(modulus) << 2);
}

@inline export function limbs30Of(modulus: usize): usize {
  return modulus + 16 + (<usize>wordsOf(modulus) << 3);
}
