/**
 * Constants of the reference as big integers: SAKKE parameter set 1 (RFC 6509 appendix A) and NIST P-256 as
 * used by ECCSI (RFC 6507 appendix A).
 */

/** Joins the lines of a long number. */
function hex(...lines: string[]): bigint {
  return BigInt(`0x${lines.join("")}`);
}

/** RFC 6508 over y² = x³ − 3x; p = 3 mod 4 and p + 1 = 4q. `g` represents ⟨P, P⟩ in PF_p. */
export const SAKKE = {
  p: hex(
    "997abb1f0a563fda65c61198dad0657a416c0ce19cb48261be9ae358b3e01a2e",
    "f40aab27e2fc0f1b228730d531a59cb0e791b39ff7c88a19356d27f4a666a6d0",
    "e26c6487326b4cd4512ac5cd65681ce1b6aff4a831852a82a7cf3c521c3c09aa",
    "9f94d6af56971f1ffce3e82389857db080c5df10ac7ace87666d807afea85feb",
  ),
  q: hex(
    "265eaec7c2958ff69971846636b4195e905b0338672d20986fa6b8d62cf8068b",
    "bd02aac9f8bf03c6c8a1cc354c69672c39e46ce7fdf222864d5b49fd2999a9b4",
    "389b1921cc9ad335144ab173595a07386dabfd2a0c614aa0a9f3cf14870f026a",
    "a7e535abd5a5c7c7ff38fa08e2615f6c203177c42b1eb3a1d99b601ebfaa17fb",
  ),
  Px: hex(
    "53fc09ee332c29ad0a7990053ed9b52a2b1a2fd60aec69c698b2f204b6ff7cbf",
    "b5edb6c0f6ce2308ab10db9030b09e1043d5f22cdb9dfa55718bd9e7406ce890",
    "9760af765dd5bccb337c86548b72f2e1a702c3397a60de74a7c1514dba66910d",
    "d5cfb4cc80728d87ee9163a5b63f73ec80ec46c4967e0979880dc8abeae63895",
  ),
  Py: hex(
    "0a8249063f6009f1f9f1f0533634a135d3e82016029906963d778d821e141178",
    "f5ea69f4654ec2b9e7f7f5e5f0de55f66b598ccf9a140b2e416cff0ca9e032b9",
    "70dae117ad547c6ccad696b5b7652fe0ac6f1e80164aa989492d979fc5a4d5f2",
    "13515ad7e9cb99a980bdad5ad5bb4636adb9b5706a67dcde75573fd71bef16d7",
  ),
  g: hex(
    "66fc2a432b6ea392148f15867d623068c6a87bd1fb94c41e27fabe658e015a87",
    "371e94744c96feda449ae9563f8bc446cbfda85d5d00ef577072da8f541721be",
    "ee0faed1828eab90b99dfb0138c7843355df0460b4a9fd74b4f1a32bcafa1ffa",
    "d682c033a7942bcce3720f20b9b7b0403c8cae87b7a0042acde0fab36461ea46",
  ),
  /** Octets of a field element, of a point, of an SSV, of SAKKE Encapsulated Data. */
  fieldBytes: 128,
  pointBytes: 257,
  ssvBytes: 16,
  sedBytes: 273,
} as const;

/** NIST P-256, y² = x³ − 3x + B, with generator G of prime order q. */
export const P256 = {
  p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  q: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  B: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  Gx: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  Gy: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  /** Octets of a field element or scalar, of a point, of an ECCSI signature. */
  fieldBytes: 32,
  pointBytes: 65,
  signatureBytes: 129,
} as const;
