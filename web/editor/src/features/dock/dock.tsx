import { PanelBottomClose } from "lucide-react";
import { useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import { IconButton } from "../../ui/button";
import { Tabs } from "../../ui/tabs";
import { Provenance } from "../provenance/provenance";
import { BulletinBoard } from "./bulletin-board";
import "./dock.css";
import { LogView } from "./log-view";
import { Problems } from "./problems";
import { StatusHistory } from "./status-history";
import { Versions } from "./versions";

/** What concerns the whole flow, below the canvas. */
export function Dock() {
  const dock = useUi((ui) => ui.dock);
  const show = useUi((ui) => ui.show);
  const problems = useDocument((state) => state.problems.length);
  const bulletins = useLive((live) => live.bulletins.length);
  const tabs = [
    { id: "problems" as const, title: "Problems", badge: problems },
    { id: "bulletins" as const, title: "Bulletins", badge: bulletins },
    { id: "log" as const, title: "Log" },
    { id: "history" as const, title: "Figures" },
    { id: "provenance" as const, title: "Provenance" },
    { id: "versions" as const, title: "Versions" },
  ];
  const tall = dock === "provenance" || dock === "history";
  return (
    <section className={`dock ${dock ? "open" : ""} ${tall ? "tall" : ""}`} aria-label="Flow">
      <div className="dock-head">
        <Tabs label="Flow" tabs={tabs} chosen={dock} onChoose={(tab) => show({ dock: tab === dock ? undefined : tab })} />
        {dock && <IconButton icon={PanelBottomClose} label="Close panel" onClick={() => show({ dock: undefined })} />}
      </div>
      {dock && (
        <div className="dock-body" tabIndex={0} role="tabpanel" aria-label={dock}>
          {dock === "problems" && <Problems />}
          {dock === "bulletins" && <BulletinBoard />}
          {dock === "log" && <LogView />}
          {dock === "history" && <StatusHistory />}
          {dock === "provenance" && <Provenance />}
          {dock === "versions" && <Versions />}
        </div>
      )}
    </section>
  );
}
