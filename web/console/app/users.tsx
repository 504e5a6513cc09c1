/** The users of the KMS, and the key periods of its master keys. */
import { useEffect, useState } from "preact/hooks";
import { defined } from "../../../base/defined.ts";
import type { UserRecord } from "../../../store/kms/records.ts";
import { askKms } from "./api.ts";
import { AskButton } from "./dialog.tsx";
import { MembersField, urisIn } from "./groups.tsx";
import { LostButton } from "./lost.tsx";
import { notice } from "./store.ts";
import { Table } from "./table.tsx";
import { errorText, timeText } from "./words.ts";

interface Master {
  readonly id: number;
  readonly fromPeriod: number;
  readonly untilPeriod?: number;
  readonly revoked: boolean;
  readonly createdAt: number;
}

const ROWS = 50;

export function Users() {
  const [users, setUsers] = useState<readonly UserRecord[]>([]);
  const [masters, setMasters] = useState<readonly Master[]>([]);
  /** The last user of each page before this one. */
  const [before, setBefore] = useState<readonly string[]>([]);
  const after = before.at(-1);
  const load = async () => {
    const query = { limit: ROWS, ...defined({ after }) };
    const [page, keys] = await Promise.all([
      askKms<UserRecord[]>("users", query),
      askKms<Master[]>("masters"),
    ]);
    setUsers(page);
    setMasters(keys);
  };
  useEffect(() => {
    load().catch((error: unknown) => {
      notice.value = errorText(error);
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
            const added = await askKms<number>("enrol", { uris: urisIn(String(fields.get("members"))) });
            notice.value = `${added} enrolled`;
            await load();
          }}
        >
          <MembersField />
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
                <LostButton user={uri} />
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
      <section aria-label="Master keys">
        <h2>Master keys and their certificates</h2>
        <table>
          <thead>
            <tr>
              <th scope="col">Made</th>
              <th scope="col">Key periods</th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {masters.map(({ id, fromPeriod, untilPeriod, revoked, createdAt }) => (
              <tr key={id}>
                <td>{timeText(createdAt)}</td>
                <td>
                  from {fromPeriod}
                  {untilPeriod !== undefined && ` to before ${untilPeriod}`}
                </td>
                <td>{revoked ? "revoked" : "valid"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}
