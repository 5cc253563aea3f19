import { LANES, summary, timelineOf } from "../../document/windows";
import type { Timeline, WindowStatus } from "../../document/windows";

interface Props {
  windows: WindowStatus;
  width: number;
  height: number;
}

/** Open windows on a line of time, the watermark on it, and what came too late at its left. */
export function WindowTimeline({ windows, width, height }: Props) {
  const drawn = timelineOf(windows);
  const text = summary(windows, Date.now() * 1000);
  return (
    <svg className="windows" viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={text}>
      <title>{text}</title>
      <line className="windows-axis" x1={0} x2={width} y1={height - 1} y2={height - 1} />
      {drawn ? <Drawn drawn={drawn} width={width} height={height} /> : <text x={width / 2} y={height / 2 + 3} textAnchor="middle">no open window</text>}
      {!!windows.late && <path className="windows-late" d={`M0 ${height - 1} l4 -8 l4 8 z`}><title>{windows.late} records came too late</title></path>}
    </svg>
  );
}

function Drawn({ drawn, width, height }: { drawn: Timeline; width: number; height: number }) {
  const lanes = Math.min(Math.max(drawn.lanes, 1), LANES);
  const row = (height - 3) / lanes;
  const mark = drawn.watermark === undefined ? undefined : drawn.watermark * width;
  return (
    <>
      {drawn.bars.map((bar) => (
        <rect
          key={`${bar.start} ${bar.end}`}
          className={bar.reached ? "windows-bar reached" : "windows-bar"}
          x={bar.left * width}
          y={1 + bar.lane * row}
          width={Math.max(bar.width * width - 1, 1.5)}
          height={Math.max(row - 1.5, 2)}
          rx={1.5}
        >
          <title>{bar.title}</title>
        </rect>
      ))}
      {mark !== undefined && (
        <>
          <line className="windows-mark" x1={mark} x2={mark} y1={0} y2={height} />
          <path className="windows-head" d={`M${mark - 3} 0 h6 l-3 4 z`} />
        </>
      )}
    </>
  );
}
