/** A link to the console that runs on a data folder, made with the token in the folder. */
import { MikeySakkeError } from "../../base/errors.ts";
import { type AdminAccess, readAdminFile } from "../server/admin-file.ts";
import type { FolderOptions } from "../server/data-folder.ts";
import { usageError } from "../terminal/usage.ts";
import { consoleAdminFileOf } from "./admin-file.ts";

/** Usage error CONSOLE_NOT_RUNNING; transport ADMIN_UNREACHABLE. */
export async function consoleLink({ dataDir }: FolderOptions): Promise<string> {
  const access = await readAdminFile(consoleAdminFileOf(dataDir));
  if (access === undefined) {
    throw usageError(
      "CONSOLE_NOT_RUNNING",
      `${dataDir}: no console runs on this data folder: start it with serve`,
    );
  }
  const answer = await asked(access);
  if (!answer.ok) {
    throw new MikeySakkeError("transport", "ADMIN_FAILED", `${access.url}: HTTP status ${answer.status}`);
  }
  return ((await answer.json()) as { link: string }).link;
}

function asked({ url, token }: AdminAccess): Promise<Response> {
  return fetch(new URL("/codes", url), {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    redirect: "error",
  }).catch((cause) => {
    throw new MikeySakkeError("transport", "ADMIN_UNREACHABLE", `${url}: the console does not answer`, {
      cause,
    });
  });
}
