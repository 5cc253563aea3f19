/** What of provenance is looked at: a search, or one FlowFile's way drawn on the canvas. */

import { create } from "zustand";
import { ANYTHING, provenanceApi } from "../api/provenance";
import type { ProvenanceEvent, Search } from "../api/provenance";
import { pathOf } from "../document/lineage";
import { split } from "../document/tree";
import { attempt } from "../ui/report";
import { useDocument } from "./document-store";
import { useUi } from "./ui-store";

interface Provenance {
  search: Search;
  /** Asked anew when it grows. */
  round: number;
  flowfile: string;
  events: ProvenanceEvent[];
  chosen: number | undefined;
}

const NOTHING = { flowfile: "", events: [], chosen: undefined };

export const useProvenance = create<Provenance>()(() => ({ search: ANYTHING, round: 0, ...NOTHING }));
const { getState: state, setState } = useProvenance;

/** Show the panel, with a search. */
export function openProvenance(search: Partial<Search> = {}): void {
  setState({ search: { ...ANYTHING, ...search }, round: state().round + 1, ...NOTHING });
  useUi.getState().show({ dock: "provenance", dialog: undefined, lineage: undefined });
}

export function searchAgain(search: Search): void {
  setState({ search, round: state().round + 1 });
}

/** Draw what happened to a FlowFile, its ancestors and its descendants. */
export async function showLineage(flowfile: string, chosen?: number): Promise<void> {
  const { flow } = useDocument.getState();
  const found = await attempt(provenanceApi.lineage(flow, flowfile));
  const { document } = useDocument.getState();
  if (!found || !document) return;
  useUi.getState().show({ dock: "provenance", dialog: undefined, lineage: pathOf(document, found.events) });
  setState({ flowfile, events: found.events, chosen: undefined });
  chooseEvent(chosen ?? found.events.find((one) => one.flowfile === flowfile)?.id);
  useUi.getState().show({ centre: "*" });
}

/** Look at one event; the canvas shows where it was, with the path around it. */
export function chooseEvent(id: number | undefined): void {
  setState({ chosen: id });
  const event = state().events.find((one) => one.id === id);
  if (!event) return;
  const [group] = split(event.processor);
  const ui = useUi.getState();
  if (group !== ui.group) ui.enter(group);
  ui.select([event.processor]);
}

/** Back to what was found; the canvas shows no path any more. */
export function leaveLineage(): void {
  setState(NOTHING);
  useUi.getState().show({ lineage: undefined });
}
