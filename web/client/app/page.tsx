/** The page, drawn anew when a signal changes: it is small. */
import { effect } from "@preact/signals-core";
import { render } from "preact";
import { prepareAudio } from "./audio.ts";
import { connected, user } from "./calls.ts";
import { Groups } from "./groups.tsx";
import { begin } from "./identity.ts";
import { Keys } from "./keys.tsx";
import { shortName } from "./names.ts";
import { notice } from "./notice.ts";
import { Present } from "./present.tsx";
import { Settings } from "./settings.tsx";
import { SignIn } from "./sign-in.tsx";
import { SignInAgain } from "./sign-in-form.tsx";
import { figures, group, isOnline } from "./store.ts";
import { listenForKey, Talk } from "./talk.tsx";
import { Texts } from "./texts.tsx";

function Page() {
  if (user.value === undefined) return <SignIn />;
  return (
    <div class="page">
      <header>
        <h1>{group.value === undefined ? "Push to talk" : shortName(group.value.uri)}</h1>
        <p class="quiet">
          {shortName(user.value)}, {connectionText()}
        </p>
      </header>
      <Groups />
      <main>
        <Talk />
        <Present />
        <p class="notice" role="status">
          {notice.value}
        </p>
        <SignInAgain />
        <Texts />
        <Keys />
      </main>
      <footer>
        <Settings />
      </footer>
    </div>
  );
}

function connectionText(): string {
  if (!isOnline.value) return "offline";
  const { gms, mcx } = connected.value;
  if (gms && mcx) return "connected";
  return mcx ? "connected, new keys do not come" : "connecting";
}

void begin();
listenForKey();
effect(() => render(<Page />, document.body));
setTimeout(prepareAudio);

Object.assign(globalThis, { figures });
