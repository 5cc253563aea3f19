import { useEffect, useRef, useSyncExternalStore } from "react";
import type { Drawing } from "./chart";

/** A chart with its title; what it shows at the end is also said in words. */
export function Chart({ title, drawing }: { title: string; drawing: Drawing }) {
  const frame = useRef<HTMLDivElement>(null);
  const theme = useSyncExternalStore(onTheme, shownTheme);
  const key = JSON.stringify([drawing.data, drawing.from]);
  useEffect(() => {
    const place = frame.current;
    if (!place) return;
    let chart: { destroy: () => void } | undefined;
    let gone = false;
    void import("./chart").then(({ draw }) => {
      if (!gone) chart = draw(place, drawing);
    });
    return () => {
      gone = true;
      chart?.destroy();
    };
    // eslint-disable-next-line -- the key says when the drawing is another one
  }, [key, theme]);
  return (
    <figure className="chart">
      <figcaption>{title}</figcaption>
      <div ref={frame} role="img" aria-label={`${title}: ${said(drawing)}`} />
    </figure>
  );
}

function said({ labels, data }: Drawing): string {
  const [times, ...lines] = data;
  const ends = labels.map((label, index) => `${label} ${Math.round(lines[index]?.at(-1) ?? 0)}`);
  return `${times.length} points, at last ${ends.join(", ")}`;
}

const shownTheme = () => document.documentElement.dataset["theme"] ?? "";

/** A canvas knows no CSS variables, so it is drawn anew when the page's colours change. */
function onTheme(listener: () => void): () => void {
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => observer.disconnect();
}
