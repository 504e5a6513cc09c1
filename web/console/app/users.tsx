/** The users of the KMS: who gets keys. */
import { useEffect, useState } from "preact/hooks";
import { defined } from "../../../base/defined.ts";
import type { UserRecord } from "../../../store/kms/records.ts";
import { say } from "../../client/app/notice.ts";
import { askKms } from "./api.ts";
import { AskButton } from "./dialog.tsx";
import { LostButton } from "./lost.tsx";
import { UrisField, wordsIn } from "./member-fields.tsx";
import { Table } from "./table.tsx";
import { errorText, timeText } from "./words.ts";

const ROWS = 50;

export function Users() {
  const [users, setUsers] = useState<readonly UserRecord[]>([]);
  /** The last user of each page before this one. */
  const [before, setBefore] = useState<readonly string[]>([]);
  const after = before.at(-1);
  const load = async () => {
    setUsers(await askKms<UserRecord[]>("users", { limit: ROWS, ...defined({ after }) }));
  };
  useEffect(() => {
    load().catch((error: unknown) => {
      say(errorText(error));
    });
  }, [after]);
  return (
    <>
      <div class="head">
        <h1>Users</h1>
        <AskButton
          text="Enrol users"
          title="Enrol users"
          act={async (fields) => {
            const added = await askKms<number>("enrol", { uris: wordsIn(fields, "members") });
            say(`${added} enrolled`);
            await load();
          }}
        >
          <UrisField label="Users" />
        </AskButton>
      </div>
      <Table label="Users of the KMS" columns={["User", "State"]} hasActions>
        {users.map(({ uri, revokedAt, reason }) => (
          <tr key={uri}>
            <th scope="row">{uri}</th>
            <td class={revokedAt === undefined ? "good" : "bad"}>
              {revokedAt === undefined ? "enrolled" : `revoked since ${timeText(revokedAt)}: ${reason ?? ""}`}
            </td>
            <td class="actions">
              {revokedAt === undefined ? (
                <>
                  <AskButton
                    text="Revoke"
                    label={`Revoke ${uri}`}
                    title={`Give ${uri} no further keys?`}
                    act={async (fields) => {
                      await askKms("revokeUser", { uri, reason: String(fields.get("reason")) });
                      await load();
                    }}
                  >
                    <p>
                      They stay in their groups, with the keys that they have until their key period ends.
                    </p>
                    <label>
                      Reason, for the audit log
                      <input name="reason" required maxLength={1000} defaultValue="revoked" />
                    </label>
                  </AskButton>
                  <LostButton user={uri} />
                </>
              ) : (
                <AskButton
                  text="Reinstate"
                  label={`Reinstate ${uri}`}
                  title={`Reinstate ${uri}?`}
                  act={async () => {
                    await askKms("reinstateUser", { uri });
                    await load();
                  }}
                >
                  <p>They get keys again. They are in no group until they are added to one.</p>
                </AskButton>
              )}
            </td>
          </tr>
        ))}
      </Table>
      <div class="buttons">
        <button type="button" disabled={before.length === 0} onClick={() => setBefore(before.slice(0, -1))}>
          Back
        </button>
        <button
          type="button"
          disabled={users.length < ROWS}
          onClick={() => setBefore([...before, users.at(-1)!.uri])}
        >
          Next
        </button>
      </div>
    </>
  );
}
