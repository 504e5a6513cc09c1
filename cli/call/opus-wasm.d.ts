/** The package has types for its main entry only, which would load a native addon where there is one. */
declare module "@evan/opus/wasm/index.mjs" {
  export { Decoder, Encoder } from "@evan/opus";
}
