/** The file of a data folder with the address of its console, and the token that opens sessions there. */
import { join } from "node:path";

export function consoleAdminFileOf(dataDir: string): string {
  return join(dataDir, "console-admin.json");
}
