/** Imports the client, notes what that did, then opens the message; says all of it in the page. */
import { type Watched, watched } from "./watch.ts";

export interface Report {
  readonly atImport: Watched;
  readonly atEnd: Watched;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly name: string; readonly code: string; readonly message: string };
}

const query = new URLSearchParams(location.search);
const client = "/open.js";
const { open } = await import(client);
const atImport = await watched();
let outcome: Pick<Report, "result" | "error">;
try {
  outcome = { result: await open(query.get("build"), query.get("from"), query.get("at")) };
} catch (error) {
  const { name, code, message } = error as Error & { code: string };
  outcome = { error: { name, code, message } };
}
const report: Report = { atImport, atEnd: await watched(), ...outcome };
const element = document.createElement("output");
element.textContent = JSON.stringify(report);
document.body.append(element);
