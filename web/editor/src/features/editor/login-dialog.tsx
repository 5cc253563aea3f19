import { useState } from "react";
import { boot, logIn } from "../../api/client";
import { plural } from "../../document/format";
import { flush, useDocument } from "../../state/document-store";
import { reconnect } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";

/** The session has ended while somebody was here: log in again without losing anything. */
export function LoginDialog() {
  const unsaved = useDocument((state) => state.pending.length);
  const byName = boot.user !== null && boot.user !== "local";
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (form: HTMLFormElement) => {
    setBusy(true);
    const fields = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    const wrong = await logIn(fields);
    setBusy(false);
    setProblem(wrong);
    if (wrong) return;
    useUi.getState().show({ loggedOut: false });
    reconnect();
    await flush();
  };
  return (
    <Dialog
      title="Log in again"
      onClose={() => useUi.getState().show({ loggedOut: false })}
      footer={<Button tone="primary" type="submit" form="login-again" disabled={busy}>Log in</Button>}
    >
      <p className="muted">
        Your session has ended.{unsaved ? ` ${plural(unsaved, "edit")} kept here will be saved once you are back.` : " Nothing is lost."}
      </p>
      {problem && <p className="notice bad" role="alert">{problem}</p>}
      <form id="login-again" className="form" onSubmit={(event) => { event.preventDefault(); void submit(event.currentTarget); }}>
        {byName ? (
          <>
            <Field name="name" title="Name" initial={boot.user ?? ""} complete="username" />
            <Field name="password" title="Password" type="password" complete="current-password" focus />
          </>
        ) : (
          <Field name="token" title="Token" type="password" complete="off" focus help="The server printed it when it started, in its address." />
        )}
      </form>
    </Dialog>
  );
}

interface FieldProps {
  name: string;
  title: string;
  initial?: string;
  type?: string;
  complete: string;
  focus?: boolean;
  help?: string;
}

function Field({ name, title, initial = "", type = "text", complete, focus, help }: FieldProps) {
  return (
    <div className="field">
      <label className="field-title" htmlFor={`login-${name}`}>{title}</label>
      <input id={`login-${name}`} name={name} type={type} defaultValue={initial} autoComplete={complete} required {...(focus && { "data-focus": true })} />
      {help && <p className="help">{help}</p>}
    </div>
  );
}
