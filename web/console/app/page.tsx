/** The page. */
import { useSignalEffect } from "@preact/signals";
import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { notice } from "../../client/app/notice.ts";
import { allowSound } from "./alarm-sound.ts";
import { Alarms, soundAlarms } from "./alarms.tsx";
import { lookForSession, session, signIn, signOut } from "./api.ts";
import { CallHistory } from "./call-history.tsx";
import { Calls } from "./calls.tsx";
import { figures, followSession } from "./dispatcher.ts";
import { Group } from "./group.tsx";
import { Groups } from "./groups.tsx";
import { Loaded } from "./loaded.tsx";
import { Log } from "./log.tsx";
import { Lost } from "./lost.tsx";
import { hrefOf, subject, type View, view } from "./route.ts";
import { Servers } from "./servers.tsx";
import { SignIn } from "./sign-in.tsx";
import { follow, isLive } from "./store.ts";
import { Users } from "./users.tsx";

const TITLES: Readonly<Record<View, string>> = {
  groups: "Groups",
  users: "Users",
  kms: "KMS",
  calls: "Calls",
  history: "Call history",
  log: "Audit log",
  servers: "Servers",
};

function Page() {
  const now = session.value;
  useMovedFocus();
  useSignalEffect(() => {
    document.title =
      subject.value === undefined ? `${TITLES[view.value]}, console` : `${subject.value}, console`;
  });
  if (now === null) return null;
  if (now === undefined) return <SignIn />;
  return (
    <div class="page">
      <button type="button" class="skip" onClick={skip}>
        To the content
      </button>
      <header>
        <p class="brand">Console</p>
        <nav aria-label="Views">
          <ul>
            {Object.entries(TITLES).map(([name, title]) => (
              <li key={name}>
                <a href={hrefOf(name as View)} aria-current={view.value === name ? "page" : undefined}>
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <p class="quiet">
          <span class={isLive.value ? "live" : "stale"}>{isLive.value ? "live" : "not connected"}</span>,{" "}
          {now.name}{" "}
          <button type="button" onClick={() => void signOut()}>
            Sign out
          </button>
        </p>
      </header>
      <main id="main" tabIndex={-1}>
        <p class="notice" role="status">
          {notice.value}
        </p>
        <Alarms />
        <Lost />
        <Content />
      </main>
    </div>
  );
}

/** Moves the focus to the beginning of a view, for users of a keyboard or a screen reader. */
function useMovedFocus(): void {
  const place = `${view.value} ${subject.value}`;
  const before = useRef(place);
  useEffect(() => {
    if (before.current !== place) document.getElementById("main")?.focus();
    before.current = place;
  }, [place]);
}

function Content() {
  switch (view.value) {
    case "users":
      return <Users />;
    case "kms":
      return <Kms />;
    case "calls":
      return <Calls />;
    case "history":
      return <CallHistory />;
    case "log":
      return <Log />;
    case "servers":
      return <Servers />;
    case "groups":
      break;
  }
  return subject.value === undefined ? <Groups /> : <Group key={subject.value} uri={subject.value} />;
}

const loadKmsKeys = async () => (await import("./kms-keys.tsx")).KmsKeys;

function Kms() {
  return (
    <>
      <h1>KMS</h1>
      <Loaded load={loadKmsKeys} />
    </>
  );
}

/** The fragment of the address is the view's, so it is no link. */
function skip(): void {
  document.getElementById("main")?.focus();
}

/** A link with a code signs in by itself; the code is used up, and goes from the address bar and the history. */
async function begin(): Promise<void> {
  const code = /^#code=([\w-]+)$/.exec(location.hash)?.[1];
  if (code === undefined) return lookForSession();
  history.replaceState(null, "", "/");
  await signIn(code, localStorage.getItem("name") ?? "operator").catch(lookForSession);
}

follow();
followSession();
soundAlarms();
for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, () => void allowSound());
render(<Page />, document.body);
void begin();

Object.assign(globalThis, { figures });
