import { useProvenance } from "../../state/provenance-store";
import { Lineage } from "./lineage";
import "./provenance.css";
import { SearchEvents } from "./search-events";

/** What happened to FlowFiles: found, then one of them drawn on the canvas. */
export function Provenance() {
  const flowfile = useProvenance((state) => state.flowfile);
  return flowfile ? <Lineage flowfile={flowfile} /> : <SearchEvents />;
}
