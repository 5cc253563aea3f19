import { ClipboardCheck, ExternalLink } from "lucide-react";
import { address, mayEdit } from "../../api/client";
import { setValue } from "../../document/edits";
import type { Entry } from "../../document/types";
import { act, useDocument } from "../../state/document-store";
import { Button } from "../../ui/button";
import { Prose } from "../../ui/prose";
import { useCatalogue } from "../../state/catalogue-store";

export function About({ id, type }: { id: string; type: string }) {
  const about = useCatalogue((state) => state.processors[type]);
  if (!about) return <p className="muted">The type {type} is not installed here.</p>;
  return (
    <div className="form about">
      <p><Prose text={about.description} /></p>
      <p>{about.tags.map((tag) => <span key={tag} className="tag">{tag}</span>)}</p>
      <h3>Relationships</h3>
      <dl>{about.relationships.map((one) => <div key={one.name}><dt>{one.name}</dt><dd><Prose text={one.description} /></dd></div>)}</dl>
      <Names title="Reads attributes" names={about.reads} />
      <Names title="Writes attributes" names={about.writes} />
      <Examples id={id} examples={about.examples as unknown as Example[]} />
      <p>
        <a href={address(`docs/processors/${type}`)} target="_blank" rel="noreferrer">
          Reference page <ExternalLink size={12} aria-hidden />
        </a>
      </p>
    </div>
  );
}

interface Example {
  title: string;
  description?: string;
  properties?: Entry;
}

/** Ready-made properties: taking one is an edit that can be undone. */
function Examples({ id, examples }: { id: string; examples: Example[] }) {
  const take = (one: Example) => {
    const { document } = useDocument.getState();
    if (document) act(`use example ${one.title}`, [setValue(document, "processors", id, ["properties"], one.properties ?? null)]);
  };
  if (!examples.length) return null;
  return (
    <>
      <h3>Examples</h3>
      {examples.map((one) => (
        <details key={one.title} className="example">
          <summary>{one.title}</summary>
          {one.description && <p className="help"><Prose text={one.description} /></p>}
          <pre>{JSON.stringify(one.properties ?? {}, null, 2)}</pre>
          {mayEdit && <Button icon={ClipboardCheck} onClick={() => take(one)}>Use these properties</Button>}
        </details>
      ))}
    </>
  );
}

function Names({ title, names }: { title: string; names: Record<string, string> }) {
  if (!Object.keys(names).length) return null;
  return (
    <>
      <h3>{title}</h3>
      <dl>{Object.entries(names).map(([name, text]) => <div key={name}><dt><code>{name}</code></dt><dd><Prose text={text} /></dd></div>)}</dl>
    </>
  );
}
