/** A certificate for 127.0.0.1 and its key, known to everybody: for tests only. */
import { readFileSync } from "node:fs";

const load = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");

export const cert = load("loopback.cert.pem");
export const key = load("loopback.key.pem");
