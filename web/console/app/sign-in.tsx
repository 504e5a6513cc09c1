/** Asks operators for their name and the code that lets them in. */
import { useState } from "preact/hooks";
import { signIn } from "./api.ts";
import { errorText } from "./words.ts";

export function SignIn() {
  const [fault, setFault] = useState("");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    signIn(String(fields.get("code")).trim(), String(fields.get("name")).trim()).catch((error: unknown) =>
      setFault(errorText(error)),
    );
  };
  return (
    <main class="sign-in">
      <h1>Console</h1>
      <form onSubmit={submit}>
        <label for="name">Your name, for the audit log</label>
        <input
          id="name"
          name="name"
          required
          maxLength={100}
          autocomplete="username"
          defaultValue={localStorage.getItem("name") ?? "operator"}
        />
        <label for="code">Code</label>
        <input id="code" name="code" type="password" required autocomplete="off" spellcheck={false} />
        <p role="alert" class="fault">
          {fault}
        </p>
        <button type="submit" class="main">
          Sign in
        </button>
      </form>
      <p class="quiet">
        <code>mikey-sakke console</code>, on the machine of the servers, prints a link that signs in once. The
        token in <code>console-admin.json</code> of the data folder does as a code too.
      </p>
    </main>
  );
}
