/** The rates of a browser, whose AES works in the background. */
import { type MediaRates, measureOurs } from "./work.ts";

const query = new URLSearchParams(location.search);
const output = document.querySelector("output")!;

try {
  const rates: MediaRates[] = [];
  for (let round = 0; round < Number(query.get("rounds")); round++) {
    rates.push(await measureOurs(Number(query.get("packets"))));
  }
  output.textContent = JSON.stringify({ report: rates });
} catch (error) {
  output.textContent = JSON.stringify({ error: String(error) });
}
