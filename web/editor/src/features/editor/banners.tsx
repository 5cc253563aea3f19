import { CloudOff, FileDiff, History, KeyRound, TriangleAlert } from "lucide-react";
import { flowsApi } from "../../api/flows";
import { clock, plural } from "../../document/format";
import { refresh, takeUnsent, useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import { Button } from "../../ui/button";
import { attempt } from "../../ui/report";

/** What one must know before going on. */
export function Banners() {
  const { saving, unsent, fileChanged, flow, pending } = useDocument();
  const connected = useLive((live) => live.connected);
  const asOf = useLive((live) => (live.connected ? 0 : live.asOf));
  const status = useLive((live) => live.status);
  const trouble = status?.problem ?? Object.values({ ...status?.faults, ...status?.service_problems })[0];
  return (
    <div className="banners" aria-live="polite">
      {saving === "logged out" && (
        <p className="banner warn">
          <KeyRound size={15} aria-hidden /> Your session has ended; {kept(pending.length)}.
          <Button onClick={() => useUi.getState().show({ loggedOut: true })}>Log in</Button>
        </p>
      )}
      {saving !== "logged out" && (saving === "offline" || !connected) && (
        <p className="banner warn">
          <CloudOff size={15} aria-hidden /> The server does not answer. You can go on editing{pending.length ? `: ${kept(pending.length)}` : ""}
          {asOf ? `; figures are of ${clock(asOf)}` : ""}.
        </p>
      )}
      {unsent.length > 0 && (
        <p className="banner">
          <History size={15} aria-hidden /> {plural(unsent.length, "edit")} of an earlier visit never reached the server.
          <Button onClick={() => takeUnsent(true)}>Take them up</Button>
          <Button onClick={() => takeUnsent(false)}>Throw away</Button>
        </p>
      )}
      {fileChanged && (
        <p className="banner warn">
          <FileDiff size={15} aria-hidden /> The file of this flow was changed since this draft began.
          <Button onClick={() => useUi.getState().show({ dialog: { kind: "deploy" } })}>Look</Button>
          <Button onClick={() => void attempt(flowsApi.discard(flow), "The draft is what the file is").then(refresh)}>Discard the draft</Button>
        </p>
      )}
      {trouble && (
        <p className="banner bad">
          <TriangleAlert size={15} aria-hidden /> {trouble}
        </p>
      )}
    </div>
  );
}

const kept = (number: number) => `${plural(number, "edit")} ${number === 1 ? "is" : "are"} kept here`;
